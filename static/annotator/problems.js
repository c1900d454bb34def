/** JSON pointers of a refusal → the object and the frame that they speak of. */

const POINTER = /^\/tracks\/(\d+)(?:\/keyframes\/(\d+))?(?:\/(.*))?$/;

/** `sent` are the tracks as they were sent. Returns `{ byTrack: Map(id → [{ frame, message }]), rest: [message] }`. */
export function sortProblems(errors, sent) {
  const byTrack = new Map();
  const rest = [];
  errors.forEach(({ pointer = "", message }) => {
    const [, index, keyframe] = POINTER.exec(pointer) ?? [];
    const track = sent[Number(index)];
    if (!track) {
      rest.push(pointer ? `${pointer}: ${message}` : message);
      return;
    }
    const frame = track.keyframes[Number(keyframe)]?.frame ?? null;
    byTrack.set(track.id, [...(byTrack.get(track.id) ?? []), { frame, message }]);
  });
  return { byTrack, rest };
}

/** What a person may want to look at again before submitting; none of it forbids to submit. */
export function doubts(store) {
  const out = [];
  store.all().forEach((track) => {
    const name = `${track.label} ${track.id}`;
    const label = store.labelOf(track.label);
    if (track.keyframes.every((k) => k.outside)) out.push(`${name} is outside everywhere.`);
    else if (track.keyframes.length === 1 && store.stop - store.start > 1) {
      out.push(`${name} has one keyframe only: its box stays where it is to the end.`);
    }
    (label?.attributes ?? []).filter((a) => !a.mutable && a.default == null && track.attributes[a.name] === undefined)
      .forEach((a) => out.push(`${name} has no ${a.name}.`));
  });
  return out;
}
