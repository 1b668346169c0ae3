/** A report with everything in it, as a site of two hosts would give it: for the page, the text and the comparison. */
import type {
  AcceptanceReport,
  BasicPart,
  FailoverPart,
  Part,
  StressPart,
  StressStep,
  TestReport,
} from "../../src/acceptance/index.ts";
import { OBJECTIVES } from "../../src/model/index.ts";

const latency = (p50: number, p99: number) => ({
  count: 1000,
  mean: p50 * 1.2,
  p50,
  p90: (p50 + p99) / 2,
  p99,
  p999: p99 * 1.5,
  max: p99 * 2,
});

const base = {
  passed: true,
  requests: 1000,
  lost: 0,
  lostAfterRetry: 0,
  gapSeconds: 0,
  callsPerDay: null,
  nextServerAt: null,
};

function basicPart(part: string, service: string, bad = false): BasicPart {
  return {
    ...base,
    test: "basic",
    part,
    service,
    passed: !bad,
    says: bad ? "12 of 100 questions without a right answer" : "100 right answers, the middle one after 5 ms",
    requests: 100,
    lost: bad ? 12 : 0,
    lostAfterRetry: bad ? 12 : 0,
    gapSeconds: bad ? 1.2 : 0,
    address: "127.7.7.12:8443",
    asked: ["the account of /DC=org/CN=Alice <Example>", "GET /"],
    latency: latency(5, 17),
    series: Array.from({ length: 100 }, (_, index) => (bad && index > 40 && index < 53 ? null : 4 + (index % 7))),
  };
}

function failoverPart(
  part: string,
  service: string | null,
  kind: FailoverPart["kind"],
  guests: readonly string[],
): FailoverPart {
  return {
    ...base,
    test: "failover",
    part,
    service,
    kind,
    guests,
    host: "fermigrid5",
    says: "no call was lost, 3 had to be repeated",
    requests: 812,
    lost: 3,
    gapSeconds: 0.12,
    how: kind === "host" ? "its power was taken" : "it was ended as a power switch would",
    aliases: [
      {
        alias: "gums",
        requests: 406,
        lost: 3,
        lostAfterRetry: 0,
        refused: 0,
        gapSeconds: 0.12,
        slowestMs: 561,
        says: "nothing listens there",
      },
      { alias: "saz", requests: 406, lost: 0, lostAfterRetry: 0, refused: 0, gapSeconds: 0, slowestMs: 12, says: "" },
    ],
    tookOver: "fg6x2 for gums",
    wholeAfterSeconds: 2.4,
    moments: [
      { at: 0, says: "killed" },
      { at: 431, says: "fg5x0 takes it out of gums" },
      { at: 3004, says: "started again" },
      { at: 5402, says: "whole" },
    ],
    timeline: Array.from({ length: 90 }, (_, index) => ({
      answered: index === 21 ? 4 : 9 + (index % 3),
      lost: 0,
      repeated: index === 21 ? 3 : 0,
    })),
  };
}

function step(kind: StressStep["kind"], offered: number, p99: number, kept: boolean): StressStep {
  const busy = Math.min(1, offered / 1400);
  return {
    kind,
    connections: "new",
    offered,
    seconds: kind === "soak" ? 20 : 4,
    answeredPerSecond: kind === "closed" ? 1300 : Math.min(offered, 1400),
    repeated: 0,
    refused: 0,
    lost: kept ? 0 : 14,
    latency: latency(p99 / 5, p99),
    service: latency(p99 / 5, p99 * 0.9),
    lateMs: 1.4,
    use: [
      { name: "fg5x2", tier: "copies of gums", processors: 0.45 * busy, of: 1, memory: 130 * 2 ** 20 },
      { name: "fg6x2", tier: "copies of gums", processors: 0.44 * busy, of: 1, memory: 131 * 2 ** 20 },
      { name: "fg5x0", tier: "directors", processors: 0.3 * busy, of: 1, memory: 100 * 2 ** 20 },
      { name: "load generator", tier: "load generator", processors: 0.7 * busy, of: 1, memory: 160 * 2 ** 20 },
    ],
    loadAverage: 2.1 * busy,
    idle: 1 - busy,
    kept,
    says: kept ? "" : `99 % within ${p99} ms, 500 ms allowed`,
  };
}

function stressPart(alias: string): StressPart {
  return {
    ...base,
    test: "stress",
    part: `alias ${alias}`,
    service: alias,
    alias,
    says: `${alias} answers 1,200 calls a second; the machine that all share is full then`,
    requests: 24_000,
    callsPerDay: 103_680_000,
    nextServerAt: 77_760_000,
    steps: [
      step("closed", 8, 20, true),
      ...[100, 200, 400, 800, 1200, 1600].map((rate) =>
        step("open", rate, rate > 1300 ? 1900 : 10 + rate / 30, rate < 1300),
      ),
      step("soak", 900, 41, true),
    ],
    knee: { perSecond: 1200, p99Ms: 50 },
    saturated: { tier: "copies of gums", share: 0.93, says: "copies of gums, 93 % of what they may use" },
    next: { add: "copy", says: "another copy of gums: fermigrid6 has 2 GiB left for it" },
    perProcessor: 1420,
    keptPerSecond: 5200,
    generatorPerSecond: 3100,
  };
}

function test<P extends Part>(
  name: TestReport["test"],
  parts: readonly P[],
  findings: TestReport["findings"] = [],
): TestReport<P> {
  const passed = findings.every(({ level }) => level !== "failed");
  return {
    test: name,
    passed,
    says: passed ? `${parts.length} parts kept their objectives` : "not passed because of copy fg6x2",
    startedAt: Date.UTC(2026, 10, 20, 18, 0, 0),
    durationMs: 154_000,
    parts,
    findings,
    interrupted: false,
  };
}

/** @param spoiled with a copy that did not pass */
export function sampleReport(spoiled = false): AcceptanceReport {
  const findings = spoiled
    ? [
        {
          level: "failed" as const,
          about: "copy fg6x2",
          says: "copy fg6x2 comes and goes: 2 times without a right answer, up to 1.2 s",
        },
        { level: "warning" as const, about: "alias gums", says: "every copy says <b>bob</b> to the account of Alice" },
      ]
    : [];
  const tests: readonly TestReport[] = [
    test(
      "basic",
      [basicPart("copy fg5x2", "gums"), basicPart("copy fg6x2", "gums", spoiled), basicPart("alias gums", "gums")],
      findings,
    ),
    test("failover", [
      failoverPart("copy fg5x2", "gums", "copy", ["fg5x2"]),
      failoverPart("director fg5x0", "lvs", "director", ["fg5x0"]),
      failoverPart("host fermigrid5", null, "host", ["fg5x0", "fg5x2"]),
    ]),
    test("stress", [stressPart("gums"), stressPart("saz")]),
  ];
  return {
    format: 1,
    id: spoiled ? "2026-11-20T180000Z-all" : "2026-10-20T180000Z-all",
    site: "fermigrid-ha",
    blueprint: { number: 3, id: "b1c17e8c6eaf00" },
    startedAt: Date.UTC(2026, spoiled ? 10 : 9, 20, 18, 0, 0),
    durationMs: 462_000,
    passed: !spoiled,
    machine: { cpus: 2, model: "A processor", memory: 24 * 2 ** 30, kernel: "6.1", domus: "0.1.0", driver: "embedded" },
    objectives: { site: OBJECTIVES, services: { gums: { ...OBJECTIVES, latency: 0.25 }, saz: OBJECTIVES } },
    tests,
  };
}
