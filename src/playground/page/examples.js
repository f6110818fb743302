/** What the boxes for a schema and for tools can be filled with: both are valid, and fit the embedded model's pictures. */

const COLORS = ['red', 'green', 'blue', 'yellow', 'orange', 'purple', 'cyan', 'magenta', 'black', 'white'];

export const SCHEMA_EXAMPLE = {
  type: 'object',
  properties: {
    shapes: {
      type: 'array',
      minItems: 1,
      maxItems: 2,
      items: {
        type: 'object',
        properties: {
          shape: { enum: ['circle', 'square', 'triangle', 'star', 'ring', 'cross'] },
          color: { enum: COLORS },
        },
        required: ['shape', 'color'],
        additionalProperties: false,
      },
    },
    background: { enum: COLORS },
  },
  required: ['shapes', 'background'],
  additionalProperties: false,
};

export const TOOLS_EXAMPLE = [
  {
    name: 'zoom',
    description: 'Shows a part of the picture larger.',
    parameters: {
      type: 'object',
      properties: {
        where: { enum: ['left', 'right', 'top', 'bottom', 'middle'] },
        factor: { type: 'integer', minimum: 2, maximum: 8 },
      },
      required: ['where', 'factor'],
      additionalProperties: false,
    },
  },
];
