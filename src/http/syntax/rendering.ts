// Fields on their way out: as text, checked, and with what they say about framing set apart, for that must agree with
// what the writer does. It knows which fields decide that, not what a message needs.

import { isToken } from "../../wire/characters.ts";
import { parseList } from "../../wire/parameters.ts";
import { mistake } from "./errors.ts";
import { HttpFields, idOfField } from "./fields.ts";
import type { FieldsInit, Rendered } from "./fields.ts";
import {
  CONNECTION,
  CONTENT_LENGTH,
  DATE,
  EXPECT,
  HOST,
  TRANSFER_ENCODING,
  UNKNOWN,
  UPGRADE,
  idOfName,
} from "./names.ts";

/**
 * Renders fields. What HttpFields hold was checked when they were made, and is looked through once.
 *
 * @throws {LocalProtocolError} ERR_HTTP_FIELD_NAME, ERR_HTTP_FIELD_VALUE: as HttpFields.from. ERR_HTTP_FRAMING: more than
 *   one Content-Length or one that is no number, Transfer-Encoding. ERR_HTTP_CONNECTION, ERR_HTTP_EXPECTATION: one that
 *   cannot be read.
 */
export function render(init: FieldsInit): Rendered {
  if (init instanceof HttpFields) return (init.rendered ??= lookThrough(init));
  const rendered = nothing();
  if (Symbol.iterator in init)
    for (const [name, value] of init as Iterable<readonly [string, string]>) add(rendered, name, value);
  else
    for (const [name, values] of Object.entries(init)) {
      if (typeof values === "string") add(rendered, name, values);
      else for (const value of values) add(rendered, name, value);
    }
  return rendered;
}

const NONE: readonly string[] = [];

function nothing(): Rendered {
  return {
    text: "",
    length: undefined,
    hosts: NONE,
    connection: NONE,
    upgrade: false,
    expectsContinue: false,
    date: false,
  };
}

function lookThrough(fields: HttpFields): Rendered {
  const rendered = nothing();
  for (const [name, value] of fields) note(rendered, idOfName(name), value);
  rendered.text = fields.toString();
  return rendered;
}

function add(rendered: Rendered, name: string, value: string): void {
  const id = idOfField(name, value);
  rendered.text += `${name}: ${value}\r\n`;
  if (id !== UNKNOWN && id <= DATE) note(rendered, id, value);
}

function note(rendered: Rendered, id: number, value: string): void {
  switch (id) {
    case HOST:
      rendered.hosts = [...rendered.hosts, value];
      return;
    case CONTENT_LENGTH:
      if (rendered.length !== undefined || !/^[0-9]{1,15}$/.test(value))
        throw mistake("ERR_HTTP_FRAMING", `Content-Length is ${JSON.stringify(value)}, or not the only one`);
      rendered.length = Number(value);
      return;
    case TRANSFER_ENCODING:
      throw mistake("ERR_HTTP_FRAMING", "Transfer-Encoding is the writer's: ask for a chunked body");
    case CONNECTION:
      rendered.connection = [...rendered.connection, ...connectionOptions(value)];
      return;
    case DATE:
      rendered.date = true;
      return;
    case UPGRADE:
      rendered.upgrade = true;
      return;
    case EXPECT:
      if (value.toLowerCase() !== "100-continue")
        throw mistake("ERR_HTTP_EXPECTATION", `the expectation ${JSON.stringify(value)} is not known`);
      rendered.expectsContinue = true;
      return;
  }
}

function connectionOptions(value: string): string[] {
  const options = parseList(value)?.map(({ name }) => name);
  if (options === undefined || !options.every(isToken))
    throw mistake("ERR_HTTP_CONNECTION", `Connection is ${JSON.stringify(value)}`);
  return options;
}
