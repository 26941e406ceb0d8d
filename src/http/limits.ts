/** What one server takes. Beyond it a client is refused; the daemon goes on. */
export const limits = {
  /** Bytes of a request's body. */
  body: 256 * 1024,
  /** Bytes of its line and headers. */
  headers: 16 * 1024,
  /** Milliseconds until headers, and until the whole request, have come. */
  headersMs: 10_000,
  requestMs: 20_000,
  keepAliveMs: 10_000,
  connections: 300,
  /** Pages that listen to the event stream. */
  listeners: 200,
  /** Requests: so many at once, and so many a second afterwards. */
  burst: 300,
  perSecond: 60,
  /** Operations that work at the same time, and that may wait for it. */
  working: 4,
  waiting: 32,
} as const;
