import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { endlessLoops, type Node, sameIds, strayTargets, unreachable } from "#src/modules/sequences/graph.ts";

/** A graph as a matrix: `edges[from][to]`. */
interface Drawn {
  edges: boolean[][];
  waits: boolean[];
}

const drawn: fc.Arbitrary<Drawn> = fc.integer({ min: 1, max: 9 }).chain((size) =>
  fc.record({
    // Few edges, so that not everything hangs together.
    edges: fc.array(
      fc.array(
        fc.integer({ min: 0, max: size }).map((one) => one === 0),
        { minLength: size, maxLength: size },
      ),
      {
        minLength: size,
        maxLength: size,
      },
    ),
    waits: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
  }),
);

function nodesOf({ edges, waits }: Drawn): Node[] {
  return edges.map((row, at) => ({
    id: `s${at}`,
    waits: waits[at]!,
    targets: [...row.flatMap((is, to) => (is ? [{ at: `steps.${at}.next`, to: `s${to}` }] : [])), { at: `steps.${at}.else`, to: null }],
  }));
}

/** Which nodes can be come to from which in one move or more, going only through those that count: Warshall's algorithm. */
function closure(edges: readonly (readonly boolean[])[], counts: (node: number) => boolean): boolean[][] {
  const reach = edges.map((row, from) => row.map((is, to) => is && counts(from) && counts(to)));
  for (const via of reach.keys())
    for (const from of reach.keys()) for (const to of reach.keys()) reach[from]![to] ||= reach[from]![via]! && reach[via]![to]!;
  return reach;
}

const fieldsOf = (faults: readonly { field: string }[]) => faults.map(({ field }) => field);

describe("the graph of a sequence", () => {
  test("has those steps unreachable that no way leads to from the first", () => {
    fc.assert(
      fc.property(drawn, (graph) => {
        const reach = closure(graph.edges, () => true);
        const lost = [...graph.edges.keys()].filter((at) => at !== 0 && !reach[0]![at]);
        expect(fieldsOf(unreachable(nodesOf(graph)))).toEqual(lost.map((at) => `steps.${at}`));
      }),
      { numRuns: 2_000 },
    );
  });

  test("has an endless loop for each circle without a wait, and tells each once, at its first step", () => {
    fc.assert(
      fc.property(drawn, (graph) => {
        const reach = closure(graph.edges, (at) => !graph.waits[at]);
        const isFirst = (at: number) => reach[at]![at]! && !reach[at]!.some((is, other) => other < at && is && reach[other]![at]!);
        const circles = [...graph.edges.keys()].filter(isFirst);
        expect(fieldsOf(endlessLoops(nodesOf(graph)))).toEqual(circles.map((at) => `steps.${at}`));
      }),
      { numRuns: 2_000 },
    );
  });

  test("of 200 steps that all lead to all is one loop", () => {
    const all = Array.from({ length: 200 }, (_, at) => at);
    const nodes = all.map((at) => ({ id: `s${at}`, waits: false, targets: all.map((to) => ({ at: `steps.${at}.next`, to: `s${to}` })) }));
    expect(fieldsOf(endlessLoops(nodes))).toEqual(["steps.0"]);
    expect(unreachable(nodes)).toEqual([]);
  });

  test("names what is no step, and what two steps are called", () => {
    const node = (id: string, to: string | null, at: number) => ({ id, waits: false, targets: [{ at: `steps.${at}.next`, to }] });
    const nodes = [node("a", "b", 0), node("b", "nowhere", 1), node("a", null, 2)];
    expect(strayTargets(nodes)).toMatchObject([{ field: "steps.1.next", error: "not_found", received: "nowhere" }]);
    expect(sameIds(nodes)).toMatchObject([{ field: "steps.2.id", error: "taken", received: "a" }]);
  });
});
