// What a parser answers when it can say nothing yet.

/** `next()` of every parser gives this when it needs more bytes: give it some with `receive()`, then ask again. */
export const NEED_DATA: unique symbol = Symbol("NEED_DATA");
