/** Undo and redo. It listens to the store's change sets and turns them round; nobody calls it to record. */

export function createHistory(store, { limit = 1000, onChange = () => {} } = {}) {
  let past = [];
  let future = [];

  store.on("tracks", ({ name, changes, merge, origin, frame }) => {
    if (origin === "history") return;
    const last = past[past.length - 1];
    // The steps of one drag are one edit; what comes between two drags is not.
    if (merge && last?.merge === merge) last.changes = joined(last.changes, changes);
    else past.push({ name, changes, merge, frame });
    past = past.slice(-limit);
    future = [];
    onChange();
  });

  function joined(first, second) {
    const key = ({ of, id }) => `${of} ${id}`;
    const byKey = new Map(first.map((c) => [key(c), c]));
    second.forEach((c) => byKey.set(key(c), byKey.has(key(c)) ? { ...byKey.get(key(c)), after: c.after } : c));
    return [...byKey.values()];
  }

  function play(entry, edits) {
    store.change(entry.name, edits, { origin: "history" });
    const kept = edits.find((e) => e.after);
    if (kept?.of === "interval") store.choose(kept.id);
    else if (kept) store.select(kept.id);
    onChange();
    return entry;
  }

  return {
    canUndo: () => past.length > 0,
    canRedo: () => future.length > 0,

    undo() {
      const entry = past.pop();
      if (!entry) return null;
      future.push(entry);
      return play(entry, entry.changes.toReversed().map((c) => ({ ...c, after: c.before })));
    },

    redo() {
      const entry = future.pop();
      if (!entry) return null;
      past.push({ ...entry, merge: null });
      return play(entry, entry.changes);
    },
  };
}
