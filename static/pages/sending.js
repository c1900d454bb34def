/**
 * One file, sent so that it goes on where it stopped (tus 1.0.0, docs/client.md): by itself after a broken connection,
 * and where the same file is chosen again after the page was closed.
 */

import { Problem, csrf, newKey } from "../annotator/api.js";

const ROOT = "/api/v1";
const PART_BYTES = 32 << 20;
const WAITS_MS = [500, 1500, 4000, 10000, 30000];
/** Nothing has moved for so long: the line is dead, whatever the browser thinks. The last part becomes a video first. */
const STILL_MS = 45000;
const MAKING_MS = 600000;
/** Answers, and none at all, after which the same may go well. */
const PASSING = [0, 408, 409, 429, 500, 502, 503, 504];
const GONE = [404, 410, 422];

const placeOf = (project, { name, size, lastModified }) => `trackweave:upload:${project}:${size}:${lastModified}:${name}`;
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

function ask(method, path, headers, body = null, onSent = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = 0;
    const wait = (ms) => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), ms);
    };
    const all = { "Tus-Resumable": "1.0.0", "X-CSRFToken": csrf(), Accept: "application/json", ...headers };
    request.open(method, path);
    Object.entries(all).forEach(([name, value]) => request.setRequestHeader(name, value));
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      wait(loaded < total ? STILL_MS : MAKING_MS);
      onSent(loaded);
    });
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(request);
      else reject(new Problem(request.status, request.response ?? {}));
    });
    ["error", "abort"].forEach((type) => request.addEventListener(type, () => reject(new Problem(0))));
    request.addEventListener("loadend", () => clearTimeout(timer));
    wait(STILL_MS);
    request.send(body);
  });
}

function online(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    window.addEventListener("online", resolve, { once: true });
  });
}

/** Storage may be full or forbidden; then an upload goes on for as long as the page is open. */
function remember(place, address) {
  try {
    if (address) localStorage.setItem(place, address);
    else localStorage.removeItem(place);
  } catch {
    // As said above.
  }
}

function recall(place) {
  try {
    return localStorage.getItem(place);
  } catch {
    return null;
  }
}

/** Make a video of `file`. `onShare` hears how much of it is there, `onLost` that it waits for the connection. */
export async function sendFile(project, file, { onShare, onLost }) {
  if (!file.size) throw new Problem(400, { detail: "The file is empty." });
  const place = placeOf(project, file);
  const key = newKey();
  let address = recall(place);
  let fresh = !address;
  let failures = 0;
  let furthest = -1;

  async function begin() {
    const headers = { "Upload-Length": file.size, "Upload-Metadata": `filename ${base64(file.name)}`, "Idempotency-Key": key };
    const { response } = await ask("POST", `${ROOT}/projects/${project}/uploads/`, headers);
    address = response.url;
    fresh = true;
    remember(place, address);
  }

  /** Send one part from where the site stands; resolves to whether the video is made. */
  async function goOn() {
    if (!address) await begin();
    const standing = await ask("HEAD", address, {});
    if (standing.getResponseHeader("Trackweave-Video")) return true;
    const offset = Number(standing.getResponseHeader("Upload-Offset"));
    if (offset > furthest) failures = 0;
    furthest = offset;
    const headers = { "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" };
    const part = file.slice(offset, offset + PART_BYTES);
    const sent = await ask("PATCH", address, headers, part, (bytes) => onShare((offset + bytes) / file.size));
    return Boolean(sent.getResponseHeader("Trackweave-Video"));
  }

  for (;;) {
    try {
      if (await goOn()) return remember(place, null);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (GONE.includes(problem.status)) remember(place, null);
      if (GONE.includes(problem.status) && !fresh) address = null; // what an earlier page began was thrown away since
      else if (!PASSING.includes(problem.status)) throw problem;
      else {
        onLost();
        await online(WAITS_MS[Math.min(failures, WAITS_MS.length - 1)]);
        failures += 1;
      }
      fresh = true;
    }
  }
}
