// The cases that tools/write_mixing_cases.py writes from Python's Timeline and score reader.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { getEase } from "../../src/mixing/easing.js";
import { blendEmbeddings } from "../../src/mixing/interpolation.js";
import { Curve, Timeline, sharePainted } from "../../src/mixing/timeline.js";
import { makeTimeline, parseScore } from "../../src/score/reading.js";
import { formatScore } from "../../src/score/writing.js";

const cases = JSON.parse(readFileSync(new URL("../../../tests/data/mixing_cases.json", import.meta.url), "utf8"));
const CLOSE = 1e-6;

function expectMix(found, wanted) {
  for (const part of ["weights", "palette"]) {
    expect(Object.keys(found[part]).sort()).toEqual(Object.keys(wanted[part]).sort());
    for (const [name, weight] of Object.entries(wanted[part])) expect(Math.abs(found[part][name] - weight)).toBeLessThan(CLOSE);
  }
  expect(found.strength).toBeCloseTo(wanted.strength, 6);
  expect(found.brush).toBeCloseTo(wanted.brush, 6);
  expect(found.colors).toBe(wanted.colors);
  expect(sharePainted(found)).toBeCloseTo(wanted.painted, 6);
}

function makeCurve(curve) {
  return curve ? new Curve(curve.points ?? curve, curve.ease) : null;
}

describe("an ease has the values of Python's", () => {
  it.each(cases.eases)("$name", ({ name, at }) => {
    for (const [part, value] of at) expect(Math.abs(getEase(name)(part) - value)).toBeLessThan(CLOSE);
  });
});

describe("a mix of embeddings is Python's", () => {
  it.each(cases.blends)("$blend $weights", ({ blend, embeddings, weights, mixed }) => {
    const found = blendEmbeddings(embeddings.map((one) => Float32Array.from(one)), weights, blend);
    mixed.forEach((value, place) => expect(Math.abs(found[place] - value)).toBeLessThan(1e-5));
  });
});

describe("a timeline has the mixes of Python's", () => {
  it.each(cases.cases)("$name", ({ timeline: given, at }) => {
    const line = new Timeline(given.keys, { ...given, strength: makeCurve(given.strength), brush: makeCurve(given.brush) });
    for (const wanted of at) expectMix(line.at(wanted.time), wanted);
  });
});

/** This page searches a film for neither cuts nor beats. */
const needsFilm = ({ text }) => /at: *(cut|beat)/.test(text);
const readable = cases.scores.filter((score) => !score.error && !needsFilm(score));

describe("a score has the mixes of Python's", () => {
  it.each(readable)("score %#", ({ text, clock, at }) => {
    const line = makeTimeline(parseScore(text), clock);
    for (const wanted of at) expectMix(line.at(wanted.time), wanted);
  });
});

describe("a score that was written reads back as it was", () => {
  it.each(cases.scores.filter((score) => !score.error && !parseScore(score.text).unused.length))("score %#", ({ text }) => {
    const score = parseScore(text);
    expect(parseScore(formatScore(score))).toEqual(score);
  });
});

describe("a wrong score is refused", () => {
  it.each(cases.scores.filter((score) => score.error))("$error", ({ text, line }) => {
    expect(() => parseScore(text)).toThrow(line ? `Line ${line}:` : "");
  });
  it("names the cuts that it cannot search for", () => {
    const score = parseScore("keys:\n  - {at: cut 2, style: '@ink-wash'}\n");
    expect(() => makeTimeline(score, { start: 0, last: 5, rate: 25 })).toThrow("`vst stylize`");
  });
});
