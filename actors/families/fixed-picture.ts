/** Images that become one picture each, of one size and one number of image tokens: what a tower without tiles takes. */
import type * as z from 'zod';
import { ModelError } from '../errors.ts';
import { unsupported } from './decoder-geometry.ts';
import type { ImagePlan, ImageSize } from './family.ts';
import type { ModelSource } from './model-source.ts';
import { WholeImage, type WholeImageConfig, type wholeImageSchema } from './whole-image.ts';

/** The settings of an image processor, checked by a `wholeImageSchema`. */
export type PictureConfig = z.infer<ReturnType<typeof wholeImageSchema>>;

/**
 * The size of every picture.
 *
 * @throws ModelError MODEL_UNSUPPORTED when it would depend on the image, or is not the vision graph's
 */
export function pictureSize(source: ModelSource, config: WholeImageConfig): ImageSize {
  const { path } = source;
  const size = fixedSize(config);
  if (size === undefined) {
    const problem = 'The image processor makes pictures of several sizes, the vision graph takes one';
    const remedy = 'Set do_resize and a size with height and width in the preprocessor configuration.';
    throw new ModelError('MODEL_UNSUPPORTED', problem, { path, remedy });
  }
  const dims = source.imageInput('pixel_values')?.dims ?? [];
  const [height, width] = [dims.at(-2), dims.at(-1)];
  const fits = (dim: number | string | undefined, side: number) => typeof dim !== 'number' || dim === side;
  if (fits(height, size.height) && fits(width, size.width)) return size;
  const problem = `The vision graph takes pictures of ${width}×${height}, the image processor makes ${size.width}×${size.height}`;
  throw unsupported(path, problem);
}

function fixedSize({ do_resize, size, do_center_crop, crop_size }: WholeImageConfig): ImageSize | undefined {
  if (do_center_crop) return crop_size;
  return do_resize && 'height' in size ? size : undefined;
}

/**
 * Image tokens of a picture.
 *
 * @param said what the configuration files say, by field; those that do not say it are undefined
 * @param computed where none of them says it
 * @throws ModelError MODEL_UNSUPPORTED when they, or the vision graph, contradict each other
 */
export function tokensPerPicture(
  { path, graphs }: ModelSource,
  said: Readonly<Record<string, number | null | undefined>>,
  computed: number,
): number {
  const [dims, ...others] = graphs.vision?.signature.outputs.map((output) => output.dims) ?? [];
  // [pictures, tokens, hidden]; of [rows, hidden] nothing is known.
  const made = dims?.length === 3 && others.length === 0 ? dims[1] : undefined;
  const known = Object.entries(said).filter(([, tokens]) => tokens != null);
  const [first] = known;
  const tokens = first?.[1] ?? (typeof made === 'number' ? made : computed);
  const other = known.find(([, one]) => one !== tokens);
  if (other !== undefined) {
    throw unsupported(path, `${first?.[0]} is ${tokens}, but ${other[0]} is ${other[1]}`);
  }
  if (typeof made !== 'number' || made === tokens) return tokens;
  throw unsupported(path, `The vision graph makes ${made} tokens of a picture, ${first?.[0]} is ${tokens}`);
}

/** @param expansion what stands for a picture in the prompt, with `tokens` image tokens */
export function picturePlanner(
  config: WholeImageConfig,
  tokens: number,
  expansion: string,
): (size: ImageSize) => ImagePlan {
  const picture = new WholeImage(config);
  return (source) => {
    const { width, height } = picture.sizeOf(source);
    return {
      source: { width: source.width, height: source.height },
      tokens,
      shape: [1, 3, height, width],
      parts: 1,
      inputs: {},
      scratchBytes: picture.scratchBytes(source),
      expand: () => expansion,
      write: (image, target) => picture.write(image, target),
    };
  };
}
