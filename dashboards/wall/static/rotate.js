// Goes on to the next screen every so many seconds, without leaving the page: if the server cannot be reached,
// the screen that is shown stays, instead of the browser's error page.

const SHORTEST_S = 5;

export class Rotation {
  constructor(seconds, advance) {
    this.period = Math.max(SHORTEST_S, seconds) * 1000;
    this.advance = advance;
    this.started = performance.now();
    document.getElementById("next").hidden = false;
    setInterval(() => this.step(), 250);
  }

  async step() {
    const passed = performance.now() - this.started;
    document.getElementById("progress").value = Math.min(1000, Math.round(passed / this.period * 1000));
    if (passed < this.period || this.busy) return;
    this.busy = true;
    await this.advance();
    this.busy = false;
    this.started = performance.now();
  }
}
