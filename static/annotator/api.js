/**
 * The only module that talks to the server: session, CSRF, idempotency keys, retries, problems.
 *
 * A POST carries a key that stays the same over all tries of one action, so an answer that was lost on the way is
 * asked for again and not done again; also when the same is sent once more by hand.
 */

const ROOT = document.querySelector('meta[name="api"]')?.content ?? "/api/v1";
const TRIES = [500, 1500, 4000];

/** An answer that says no, or no answer at all (`status` 0). `errors` are the contract's `[{ pointer, message }]`. */
export class Problem extends Error {
  constructor(status, { title, detail, errors, type } = {}) {
    super(detail || title || (status ? `The server answered ${status}.` : "The server cannot be reached."));
    this.status = status;
    this.code = String(type ?? "").split(":").pop(); // urn:trackweave:draft-changed
    this.errors = Array.isArray(errors) ? errors : [];
  }
}

export function csrf() {
  const cookie = document.cookie.split("; ").find((c) => c.startsWith("csrftoken="));
  return cookie ? decodeURIComponent(cookie.slice(10)) : document.querySelector('meta[name="csrf"]')?.content ?? "";
}

/** A key that nobody else has; `randomUUID` exists in secure contexts only. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

let clock = 0;

/** Seconds by the server's clock: a lease is counted by it, not by this machine's. */
export const now = () => (Date.now() + clock) / 1000;

async function once(method, path, body, { key, signal, keepalive }) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = csrf();
  if (key) headers["Idempotency-Key"] = key;
  const isForm = body instanceof FormData;
  if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  const init = { method, headers, signal, keepalive, credentials: "same-origin" };
  if (body !== undefined) init.body = isForm ? body : JSON.stringify(body);
  const answer = await fetch(path.startsWith("/") ? ROOT + path : path, init).catch(() => {
    throw new Problem(0);
  });
  const date = Date.parse(answer.headers.get("Date") ?? "");
  if (date) clock = date - Date.now();
  const json = /json/.test(answer.headers.get("Content-Type") ?? "");
  const data = json ? await answer.json().catch(() => null) : null;
  if (!answer.ok) throw new Problem(answer.status, data ?? {});
  return { status: answer.status, data };
}

const again = (problem) => problem.status === 0 || problem.status >= 502;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function call(method, path, body, options = {}) {
  for (const wait of options.tries ?? TRIES) {
    try {
      return await once(method, path, body, options);
    } catch (problem) {
      if (!(problem instanceof Problem) || !again(problem)) throw problem;
    }
    await pause(wait);
  }
  return once(method, path, body, options);
}

export const get = async (path, options) => (await call("GET", path, undefined, options)).data;

const unanswered = new Map();

/** What was sent and not answered may have been done: sent again as it was, it goes out under the same key. */
export async function post(path, body = {}, options = {}) {
  const what = path + JSON.stringify(body);
  const key = options.key ?? (body instanceof FormData ? newKey() : unanswered.get(what) ?? newKey());
  try {
    const answer = await call("POST", path, body, { ...options, key });
    unanswered.delete(what);
    return answer;
  } catch (problem) {
    if (problem instanceof Problem && again(problem)) unanswered.set(what, key);
    else unanswered.delete(what);
    throw problem;
  }
}

export const patch = (path, body, options) => call("PATCH", path, body, options);
export const remove = (path) => call("DELETE", path);

/** A page of ours as the server renders it. */
export async function readPage(address) {
  const answer = await fetch(address, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) throw new Problem(answer?.status ?? 0);
  return answer.text();
}

/** A frame as a picture: resolves to an image that can be drawn. */
export async function picture(path) {
  const answer = await fetch(ROOT + path, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) throw new Problem(answer?.status ?? 0);
  return createImageBitmap(await answer.blob());
}

export const assignments = {
  read: (id) => get(`/assignments/${id}/`),
  frame: (id, n, width) => picture(`/assignments/${id}/frames/${n}/?as=jpeg&width=${width}`),
  draft: (id, body, options) => call("PUT", `/assignments/${id}/draft/`, body, { tries: [], ...options }),
  renew: (id, token) => post(`/assignments/${id}/renew/`, { token }),
  submit: (id, body) => post(`/assignments/${id}/submit/`, body),
  release: (id, body) => post(`/assignments/${id}/release/`, body),
  claim: (project) => post("/assignments/claim/", project ? { project } : {}),
};

/** Upload with progress, which fetch cannot tell. */
export function upload(path, form, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", ROOT + path);
    request.setRequestHeader("X-CSRFToken", csrf());
    request.setRequestHeader("Idempotency-Key", newKey());
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (e) => e.lengthComputable && onProgress(e.loaded / e.total));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(request.response);
      else reject(new Problem(request.status, request.response ?? {}));
    });
    request.addEventListener("error", () => reject(new Problem(0)));
    request.send(form);
  });
}
