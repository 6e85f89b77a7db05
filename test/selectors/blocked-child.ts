// Selectors that block, for blocked.test.ts.

import { create_server } from "berkeley";
import { EVENT_READ, EpollSelector, PollSelector, SelectSelector } from "berkeley/selectors";
import type { BaseSelector } from "berkeley/selectors";
import { runBlocked } from "../support/blocked-program.ts";

const registered = (Selector: new () => BaseSelector): BaseSelector => {
  const selector = new Selector();
  selector.register(create_server(["127.0.0.1", 0]), EVENT_READ);
  return selector;
};

runBlocked(
  {
    "EpollSelector.select()": () => registered(EpollSelector).select(),
    "PollSelector.select()": () => registered(PollSelector).select(),
    "SelectSelector.select()": () => registered(SelectSelector).select(),
    "EpollSelector.select() without registrations": () => new EpollSelector().select(),
    "EpollSelector.select(0.3)": () => registered(EpollSelector).select(0.3),
    "PollSelector.select(0.3)": () => registered(PollSelector).select(0.3),
    "SelectSelector.select(0.3)": () => registered(SelectSelector).select(0.3),
  },
  import.meta.url,
);
