/** onnxruntime, with its telemetry off. Nothing else imports the package, but for its types. */
import './telemetry.ts';

export { env, InferenceSession, Tensor } from 'onnxruntime-node';
