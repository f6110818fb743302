/** An answer for a connection that no request could be read from, written onto the socket as it is. */
import { STATUS_CODES } from 'node:http';

export function rawError(status: number, code: string): string {
  const reason = STATUS_CODES[status] ?? 'Bad Request';
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  const body = JSON.stringify({ error: { message: `${reason}.`, type, param: null, code } });
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...(status === 503 ? ['Retry-After: 1'] : []),
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
