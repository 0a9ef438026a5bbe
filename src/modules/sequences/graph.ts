import { type Fault, faultAt } from "./faults.ts";

/** A step as far as the others are concerned. */
export interface Node {
  id: string;
  /** Where it can lead, and where that is said. */
  targets: readonly Target[];
  /** Whoever passes through it has waited a minute or more. */
  waits: boolean;
}

interface Target {
  /** Such as `steps.3.next`. */
  at: string;
  /** Null ends. */
  to: string | null;
}

const IDS_TOLD_MAX = 5;

/** Ids that two steps have. */
export function sameIds(nodes: readonly Node[]): Fault[] {
  const first = indexOf(nodes);
  return nodes.flatMap(({ id }, at) =>
    first.get(id) === at
      ? []
      : [faultAt(`steps.${at}.id`, "taken", `steps.${first.get(id)} has the id ${id} too: give one of them another id.`, id)],
  );
}

/** Targets that are no step. */
export function strayTargets(nodes: readonly Node[]): Fault[] {
  const known = indexOf(nodes);
  return nodes
    .flatMap(({ targets }) => targets)
    .filter(({ to }) => to !== null && !known.has(to))
    .map(({ at, to }) => faultAt(at, "not_found", `No step has the id ${to}: name one that is there, or null to end.`, to));
}

/** Steps that nobody can come to from the first. */
export function unreachable(nodes: readonly Node[]): Fault[] {
  const next = edgesOf(nodes);
  const reached = new Set([0]);
  // A set can grow while it is gone through.
  for (const at of reached) for (const to of next[at] ?? []) reached.add(to);
  return nodes.flatMap(({ id }, at) =>
    reached.has(at)
      ? []
      : [faultAt(`steps.${at}`, "unreachable", `Nothing leads to the step ${id}: let another step lead to it, or take it out.`)],
  );
}

/** Circles in which nobody ever waits: each that hangs together is told once, at its first step. */
export function endlessLoops(nodes: readonly Node[]): Fault[] {
  const next = edgesOf(nodes).map((targets, at) => (nodes[at]!.waits ? [] : targets.filter((to) => !nodes[to]!.waits)));
  return circlesOf(next).map((circle) => {
    const ids = circle.slice(0, IDS_TOLD_MAX).map((at) => nodes[at]!.id);
    const more = circle.length - ids.length;
    return faultAt(
      `steps.${circle[0]}`,
      "endless",
      `It leads back to itself without a wait (${ids.join(", ")}${more === 0 ? "" : ` and ${more} more`}): put a wait of a minute or more between.`,
    );
  });
}

/** Of ids that several have, the first one's. */
function indexOf(nodes: readonly Node[]): Map<string, number> {
  const index = new Map<string, number>();
  for (const [at, { id }] of nodes.entries()) if (!index.has(id)) index.set(id, at);
  return index;
}

function edgesOf(nodes: readonly Node[]): number[][] {
  const index = indexOf(nodes);
  return nodes.map(({ targets }) => [...new Set(targets.flatMap(({ to }) => (to === null ? [] : (index.get(to) ?? []))))]);
}

/** Tarjan's strongly connected components, those in which there is an edge; each in order, and so are they. */
function circlesOf(next: readonly (readonly number[])[]): number[][] {
  const order: number[] = [];
  const lowest: number[] = [];
  const open: number[] = [];
  const isOpen = new Set<number>();
  const circles: number[][] = [];
  let count = 0;

  // As deep as there are steps, of which there are 200.
  function visit(at: number): void {
    order[at] = lowest[at] = count++;
    open.push(at);
    isOpen.add(at);
    for (const to of next[at]!) {
      if (order[to] === undefined) visit(to);
      if (isOpen.has(to)) lowest[at] = Math.min(lowest[at], lowest[to]!);
    }
    if (lowest[at] !== order[at]) return;
    const part = open.splice(open.indexOf(at));
    for (const member of part) isOpen.delete(member);
    if (part.length > 1 || next[at]!.includes(at)) circles.push(part.toSorted((a, b) => a - b));
  }

  for (const at of next.keys()) if (order[at] === undefined) visit(at);
  return circles.toSorted(([a], [b]) => a! - b!);
}
