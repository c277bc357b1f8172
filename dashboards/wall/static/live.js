// The server's events of one screen: newest document, beats, and what is known of the connection.

const SILENT_MS = 4500; // without a beat for so long the connection counts as lost, even if nobody said so
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 4000; // back within ten seconds of the server

export class Live {
  // on: {document(doc), beat({now_us, build}), state("live" | "lost")}
  constructor(on) {
    this.on = on;
    this.wait = FIRST_WAIT_MS;
    this.heard = 0;
    this.state = "waiting";
    setInterval(() => this.watch(), 500);
  }

  follow(screen) {
    this.address = `/api/events?${new URLSearchParams({ screen })}`;
    this.open();
  }

  open() {
    clearTimeout(this.again);
    this.source?.close();
    this.opened = performance.now();
    const source = new EventSource(this.address);
    this.source = source;
    const take = (name, then) => source.addEventListener(name, (event) => {
      if (source !== this.source) return; // a late word from a connection that was given up
      let data;
      try { data = JSON.parse(event.data); } catch { return; }
      this.heard = performance.now();
      this.wait = FIRST_WAIT_MS;
      then(data);
      this.say("live");
    });
    take("screen", (data) => this.on.document(data));
    take("beat", (data) => this.on.beat(data));
    source.onerror = () => {
      if (source === this.source) this.retry();
    };
  }

  // EventSource gives up for good on an error answer such as 503, so trying again is done here.
  retry() {
    this.source.close();
    this.say("lost");
    clearTimeout(this.again);
    this.again = setTimeout(() => this.open(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 1.6, LONGEST_WAIT_MS);
  }

  watch() {
    if (!this.source || this.source.readyState === EventSource.CLOSED) return;
    if (performance.now() - Math.max(this.heard, this.opened) > SILENT_MS) this.retry();
  }

  say(state) {
    if (this.state === state) return;
    this.state = state;
    this.on.state(state);
  }
}
