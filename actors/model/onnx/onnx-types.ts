/**
 * An ONNX model as plain, cloneable objects: the messages of ONNX's public schema (`onnx.proto`, IR version 11)
 * with their fields in camel case. Absent fields are absent properties.
 */

/** 64-bit integers are read as bigint and may be written as either. */
export type Int64 = bigint | number;

export interface OnnxStringPair {
  key?: string;
  value?: string;
}

export interface OnnxOperatorSet {
  domain?: string;
  version?: Int64;
}

export interface OnnxDimension {
  dimValue?: Int64;
  dimParam?: string;
  denotation?: string;
}

export interface OnnxShape {
  dim?: OnnxDimension[];
}

export interface OnnxTensorType {
  elemType?: number;
  shape?: OnnxShape;
}

export interface OnnxType {
  tensorType?: OnnxTensorType;
  sequenceType?: { elemType?: OnnxType };
  mapType?: { keyType?: number; valueType?: OnnxType };
  optionalType?: { elemType?: OnnxType };
  sparseTensorType?: OnnxTensorType;
  opaqueType?: { domain?: string; name?: string };
  denotation?: string;
}

export interface OnnxValueInfo {
  name?: string;
  type?: OnnxType;
  docString?: string;
  metadataProps?: OnnxStringPair[];
}

/** Where a tensor's bytes are; in `externalData` the keys are `location`, `offset`, `length`, `checksum`. */
export const DATA_LOCATION_EXTERNAL = 1;

export interface OnnxTensor {
  dims?: Int64[];
  dataType?: number;
  segment?: { begin?: Int64; end?: Int64 };
  floatData?: number[];
  int32Data?: number[];
  stringData?: Uint8Array[];
  int64Data?: Int64[];
  name?: string;
  docString?: string;
  /** Little-endian values, the usual place of weights that are not external. */
  rawData?: Uint8Array;
  externalData?: OnnxStringPair[];
  dataLocation?: number;
  doubleData?: number[];
  uint64Data?: Int64[];
  metadataProps?: OnnxStringPair[];
}

export interface OnnxSparseTensor {
  values?: OnnxTensor;
  indices?: OnnxTensor;
  dims?: Int64[];
}

/** `AttributeProto.AttributeType` */
export const ATTRIBUTE_TYPE = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
  sparseTensor: 11,
  sparseTensors: 12,
  typeProto: 13,
  typeProtos: 14,
} as const;

export interface OnnxAttribute {
  name?: string;
  refAttrName?: string;
  docString?: string;
  /** One of `ATTRIBUTE_TYPE`. */
  type?: number;
  f?: number;
  i?: Int64;
  /** UTF-8. */
  s?: Uint8Array;
  t?: OnnxTensor;
  g?: OnnxGraph;
  sparseTensor?: OnnxSparseTensor;
  tp?: OnnxType;
  floats?: number[];
  ints?: Int64[];
  strings?: Uint8Array[];
  tensors?: OnnxTensor[];
  graphs?: OnnxGraph[];
  sparseTensors?: OnnxSparseTensor[];
  typeProtos?: OnnxType[];
}

export interface OnnxNode {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  /** '' or absent for the standard operators. */
  domain?: string;
  overload?: string;
  attribute?: OnnxAttribute[];
  docString?: string;
  metadataProps?: OnnxStringPair[];
  deviceConfigurations?: OnnxNodeDeviceConfiguration[];
}

export interface OnnxGraph {
  node?: OnnxNode[];
  name?: string;
  initializer?: OnnxTensor[];
  sparseInitializer?: OnnxSparseTensor[];
  docString?: string;
  input?: OnnxValueInfo[];
  output?: OnnxValueInfo[];
  valueInfo?: OnnxValueInfo[];
  quantizationAnnotation?: { tensorName?: string; quantParameterTensorNames?: OnnxStringPair[] }[];
  metadataProps?: OnnxStringPair[];
}

export interface OnnxFunction {
  name?: string;
  input?: string[];
  output?: string[];
  attribute?: string[];
  attributeProto?: OnnxAttribute[];
  node?: OnnxNode[];
  docString?: string;
  opsetImport?: OnnxOperatorSet[];
  domain?: string;
  overload?: string;
  valueInfo?: OnnxValueInfo[];
  metadataProps?: OnnxStringPair[];
}

export interface OnnxTrainingInfo {
  initialization?: OnnxGraph;
  algorithm?: OnnxGraph;
  initializationBinding?: OnnxStringPair[];
  updateBinding?: OnnxStringPair[];
}

export interface OnnxNodeDeviceConfiguration {
  configurationId?: string;
  shardingSpec?: OnnxShardingSpec[];
  pipelineStage?: number;
}

export interface OnnxShardingSpec {
  tensorName?: string;
  device?: Int64[];
  indexToDeviceGroupMap?: { key?: Int64; value?: Int64[] }[];
  shardedDim?: { axis?: Int64; simpleSharding?: OnnxSimpleSharding[] }[];
}

export interface OnnxSimpleSharding {
  dimValue?: Int64;
  dimParam?: string;
  numShards?: Int64;
}

export interface OnnxModel {
  irVersion?: Int64;
  opsetImport?: OnnxOperatorSet[];
  producerName?: string;
  producerVersion?: string;
  domain?: string;
  modelVersion?: Int64;
  docString?: string;
  graph?: OnnxGraph;
  metadataProps?: OnnxStringPair[];
  trainingInfo?: OnnxTrainingInfo[];
  functions?: OnnxFunction[];
  configuration?: { name?: string; numDevices?: number; device?: string[] }[];
}
