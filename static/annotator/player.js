/**
 * Shows exactly the frame that is asked for, and proves it.
 *
 * `<video>` seeks by time and rounds as it likes. So: seek to the middle of the frame's time, taken from the clip's
 * own table; let `requestVideoFrameCallback` say which frame came, by its media time; and where it says another, or
 * says nothing, take the server's picture of the frame. Only then is the frame called shown.
 */

import { indexOfTime, middleOf } from "./geometry.js";

const GRACE_MS = 400; // from the end of a seek to the frame's callback
const STALL_MS = 8000; // for a seek to end at all, on a slow line

export function createPlayer({ video, store, times, width, height, loadPicture }) {
  const picture = document.createElement("canvas");
  picture.width = width;
  picture.height = height;
  const paper = picture.getContext("2d");
  const proof = { frame: null, source: null, mediaTime: null, fallbacks: 0 };
  let settling = null;

  const frameAt = (mediaTime) => {
    const k = indexOfTime(times, mediaTime);
    return k < 0 ? null : store.start + k;
  };

  function paint(image, frame, source, mediaTime = null) {
    paper.drawImage(image, 0, 0, width, height);
    Object.assign(proof, { frame, source, mediaTime });
    store.setShown(frame);
  }

  /**
   * Paint what the video shows and return its number, or null. While it plays, the picture may be a frame further
   * than the callback says; a VideoFrame carries its own time, so where there is one (https, or this machine), number
   * and picture are of one frame at any speed.
   */
  function paintVideo(mediaTime, source, wanted = null) {
    const grabbed = grab();
    const time = grabbed ? grabbed.timestamp / 1e6 : mediaTime;
    const frame = frameAt(time);
    const right = frame !== null && (wanted === null || frame === wanted);
    if (right) paint(grabbed ?? video, frame, source, time);
    grabbed?.close();
    return right ? frame : null;
  }

  function grab() {
    try {
      return "VideoFrame" in window ? new VideoFrame(video) : null;
    } catch {
      return null; // no picture yet, or one that may not be read
    }
  }

  /** Seek; resolves to whether the frame was proven and painted. */
  function seek(frame) {
    return new Promise((resolve) => {
      let handle = 0;
      let timer = setTimeout(() => finish(false), STALL_MS);
      const onSeeked = () => {
        clearTimeout(timer);
        timer = setTimeout(() => finish(false), GRACE_MS);
      };
      const finish = (proven) => {
        clearTimeout(timer);
        video.cancelVideoFrameCallback(handle);
        video.removeEventListener("seeked", onSeeked);
        resolve(proven);
      };
      // A callback may still be an earlier seek's: keep listening until the right one comes or grace is over.
      const listen = (_, { mediaTime }) => {
        const proven = frameAt(mediaTime) === frame && paintVideo(mediaTime, "video", frame) === frame;
        if (proven) finish(true);
        else handle = video.requestVideoFrameCallback(listen);
      };
      video.addEventListener("seeked", onSeeked);
      handle = video.requestVideoFrameCallback(listen);
      video.currentTime = middleOf(times, frame - store.start);
    });
  }

  async function fallBack(frame) {
    proof.fallbacks += 1;
    try {
      const image = await loadPicture(frame);
      if (store.frame === frame) paint(image, frame, "picture");
      return true;
    } catch {
      store.say(`Frame ${frame} could not be shown. Check the connection and step to it again.`);
      return false;
    }
  }

  /** Work until the frame asked for is the frame shown; what is asked for meanwhile is only asked for once. */
  async function settle() {
    while (store.shown !== store.frame && !store.playing) {
      const { frame } = store;
      const proven = canProve() && (await seek(frame));
      if (store.playing) return;
      if (!proven && store.frame === frame && !(await fallBack(frame))) return;
    }
  }

  const canProve = () => video.hasAttribute("src") && !video.error && "requestVideoFrameCallback" in video;

  const start = () => {
    settling ??= settle().finally(() => {
      settling = null;
    });
    return settling;
  };

  /** Ask for a frame; resolves when it, or one asked for later, is shown. */
  function show(frame) {
    if (store.playing) pause();
    store.setFrame(frame);
    return start();
  }

  function follow(_, { mediaTime }) {
    if (!store.playing) return;
    const frame = paintVideo(mediaTime, "playing");
    if (frame !== null) store.setFrame(frame);
    video.requestVideoFrameCallback(follow);
  }

  async function play() {
    if (store.playing || !canProve()) return;
    if (store.frame >= store.stop - 1) await show(store.start);
    await settling;
    if (proof.source === "picture") video.currentTime = middleOf(times, store.frame - store.start);
    store.setPlaying(true);
    video.requestVideoFrameCallback(follow);
    await video.play().catch(() => store.setPlaying(false));
  }

  /** Stop, and prove anew: what was painted last need not be where the video stands. */
  function pause() {
    if (!store.playing) return;
    video.pause();
    store.setPlaying(false);
    store.setShown(null);
    start();
  }

  video.addEventListener("ended", pause);

  return {
    picture, proof, show, play, pause,
    toggle: () => (store.playing ? pause() : play()),
    step: (by) => show(store.frame + by),
    setSpeed: (rate) => {
      video.playbackRate = rate;
    },
    settled: () => settling ?? Promise.resolve(),
  };
}
