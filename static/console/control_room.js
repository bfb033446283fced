// Keeps the control room true: events arrive over the WebSocket, figures are read again after them.
const live = JSON.parse(document.getElementById("live").textContent);
const badge = document.getElementById("live-state");
const toggle = document.getElementById("live-toggle");
const feed = document.getElementById("feed");

const FIGURES_EVERY_MS = 1000; // at most; they are read after events
const LOOK_EVERY_MS = 10000; // silence of an agent is no event, so look now and then
const SILENT_MS = 15000; // figures that nobody could read for so long are stale
const RETRY_MS = [500, 1000, 2000, 5000, 10000];
const LONGEST_ID = 30;
const SHOWN_FACTS = 4;
const HIDDEN_FACTS = new Set(["event", "event_id", "entity_type", "entity_id", "entity_version", "actor", "trace_id", "causation_id", "seq"]);

let socket = null;
let cursor = live.cursor;
let paused = false;
let tries = 0;
let asOf = new Date();
let readAt = 0;
let trueAt = performance.now(); // when figures were read last with success
let reading = false;
let dirty = false;
let waiting = []; // events that came since the feed was drawn

const clock = (date) => date.toLocaleTimeString([], { hour12: false });

function state(word, text) {
  if (badge.dataset.state !== word || word !== "live") badge.dataset.state = word;
  badge.setAttribute("aria-live", word === "live" ? "off" : "polite"); // not a word every second
  badge.textContent = text;
}

function showState() {
  if (paused) state("paused", `paused at ${clock(asOf)}`);
  else if (!socket || socket.readyState !== WebSocket.OPEN || performance.now() - trueAt > SILENT_MS) state("stale", `stale since ${clock(asOf)}`);
  else state("live", `live, as of ${clock(asOf)}`);
}

function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

function showTile(key, tile) {
  const element = document.querySelector(`[data-tile="${CSS.escape(key)}"]`);
  if (!element) return;
  write(element.querySelector('[data-part="value"]'), tile.value);
  write(element.querySelector('[data-part="note"]'), tile.note);
  element.classList.toggle("fd-alarm", tile.alarm);
  element.href = tile.url;
}

function showAgent(id, agent) {
  const element = document.querySelector(`[data-agent="${CSS.escape(id)}"]`);
  if (!element) return;
  element.dataset.look = agent.look;
  if (agent.url) element.href = agent.url;
  element.title = agent.seen ? `last heard ${clock(new Date(agent.seen))}` : "never heard";
  write(element.querySelector('[data-part="icon"]'), live.icons[agent.look]);
  write(element.querySelector('[data-part="state"]'), agent.state);
  const queued = agent.queued ? `, ${agent.queued} waiting` : "";
  write(element.querySelector('[data-part="load"]'), agent.load ? `${agent.load} slots${queued}` : `port ${agent.port}`);
}

async function readFigures() {
  if (reading || paused || document.hidden) return;
  reading = true;
  dirty = false;
  readAt = performance.now();
  try {
    const response = await fetch(live.figures, { headers: { Accept: "application/json" } });
    if (response.redirected || response.status === 403) return location.reload(); // signed out
    if (!response.ok) throw new Error(response.statusText);
    const figures = await response.json();
    Object.entries(figures.tiles).forEach(([key, tile]) => showTile(key, tile));
    Object.entries(figures.agents).forEach(([id, agent]) => showAgent(id, agent));
    asOf = new Date(figures.as_of);
    trueAt = performance.now();
  } catch {
    dirty = true; // the badge says since when
  } finally {
    reading = false;
    showState();
  }
}

function factsOf(data) {
  return Object.entries(data)
    .filter(([name, value]) => !HIDDEN_FACTS.has(name) && String(value) !== data.entity_id && name !== `${data.entity_type}_id` && value !== null && value !== "" && typeof value !== "object")
    .slice(0, SHOWN_FACTS)
    .map(([name, value]) => `${name}: ${String(value).slice(0, 60)}`)
    .join(", ");
}

function line(frame) {
  const item = document.createElement("li");
  item.className = "fd-new";
  const name = document.createElement("b");
  name.textContent = frame.data.event.replaceAll("_", " ");
  const time = document.createElement("time");
  time.dateTime = frame.timestamp;
  time.textContent = clock(new Date(frame.timestamp));
  const about = document.createElement("span");
  about.className = "fd-about";
  const id = String(frame.data.entity_id ?? "");
  const words = `${frame.data.entity_type ?? ""} ${id.length > LONGEST_ID ? `${id.slice(0, 8)}…` : id}`.trim();
  const page = live.pages[frame.data.entity_type];
  const subject = document.createElement(page ? "a" : "span");
  subject.textContent = words;
  if (page) {
    subject.className = "fd-link";
    subject.href = page.replace("{id}", encodeURIComponent(frame.data.entity_id));
  }
  about.append(subject, ` ${factsOf(frame.data)}`);
  item.append(name, time, about);
  return item;
}

function drawFeed() {
  if (!waiting.length) return;
  const newest = waiting.slice(-live.length).reverse().map(line);
  waiting = [];
  feed.querySelector("[data-empty]")?.remove();
  feed.prepend(...newest);
  while (feed.children.length > live.length) feed.lastElementChild.remove();
}

function hear(text) {
  const frame = JSON.parse(text);
  if (frame.cursor) cursor = frame.cursor;
  if (frame.type === "resync_required") {
    cursor = "";
    socket.close();
  } else if (frame.data?.event && frame.type === "*") {
    waiting.push(frame);
    if (waiting.length > live.length) waiting.shift();
    dirty = true;
  }
}

function connect() {
  if (socket || paused || document.hidden) return;
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}${live.socket}`);
  const mine = socket;
  socket.addEventListener("open", () => {
    tries = 0;
    const subscribe = { type: "subscribe", subscriptions: ["*"] };
    if (cursor) subscribe.since = cursor;
    mine.send(JSON.stringify(subscribe));
    readFigures();
  });
  socket.addEventListener("message", (message) => hear(message.data));
  socket.addEventListener("close", () => {
    if (socket !== mine) return;
    socket = null;
    showState();
    setTimeout(connect, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
  });
}

function disconnect() {
  const old = socket;
  socket = null;
  old?.close();
}

function beat() {
  if (paused || document.hidden) return;
  drawFeed();
  const idle = performance.now() - readAt;
  if ((dirty && idle >= FIGURES_EVERY_MS) || idle >= LOOK_EVERY_MS) readFigures();
}

toggle.addEventListener("click", () => {
  paused = !paused;
  toggle.textContent = paused ? "Go on" : "Pause";
  toggle.setAttribute("aria-pressed", String(paused));
  if (paused) disconnect();
  else connect();
  showState();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) disconnect();
  else connect();
  showState();
});
setInterval(beat, 250);
connect();
