// The painter's thread: colors as Python mixes them, fades, and what steadiness does.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { keepColors } from "../../src/painting/colors.js";
import { StillBlend, fadeFlat, fadeTo, toNumbers, toPixels } from "../../src/painting/pixels.js";

const cases = JSON.parse(readFileSync(new URL("../../../tests/data/mixing_cases.json", import.meta.url), "utf8"));
const toRgba = (colors) => Uint8ClampedArray.from(colors.flatMap((color) => [...color, 255]));
const gray = (...levels) => toRgba(levels.map((level) => [level, level, level]));
const reds = (pixels) => [...pixels].filter((_, place) => place % 4 === 0);

describe("the color of the frame is mixed in as in Python", () => {
  it.each(cases.colors)("share $share", ({ painting, frame, share, mixed }) => {
    const found = toRgba(painting);
    keepColors(found, toRgba(frame), share);
    // OpenCV rounds Lab to bytes: in blue, a step of Lab is up to 8 levels.
    const off = [...toRgba(mixed)].map((level, place) => Math.abs(level - found[place]));
    expect(off.reduce((sum, one) => sum + one) / off.length).toBeLessThan(1.5);
    expect(Math.max(...off)).toBeLessThanOrEqual(8);
  });
});

describe("pixels", () => {
  it("become numbers and are the same pixels again", () => {
    const pixels = toRgba([[0, 127, 255], [3, 200, 90]]);
    expect(toPixels(toNumbers(pixels))).toEqual(pixels);
  });
  it("fade to what is below by their share", () => {
    const top = gray(100, 200);
    fadeTo(top, gray(0, 100), 0.25);
    expect(reds(top)).toEqual([25, 125]);
  });
  it("of a flat frame are painted in one color", () => {
    const painting = gray(0, 100, 200);
    fadeFlat(painting, gray(50, 50, 51));
    expect(reds(painting)).toEqual([100, 100, 100]);
  });
  it("of a frame with contrast stay as painted", () => {
    const painting = gray(0, 100, 200);
    fadeFlat(painting, gray(50, 90, 51));
    expect(reds(painting)).toEqual([0, 100, 200]);
  });
});

describe("steadiness", () => {
  const width = 12, still = Array(width * width).fill(80);
  const noise = (seed) => still.map((_, place) => 128 + 30 * Math.sin(seed * 7.3 + place * 1.7));

  it("halves the flicker where nothing moves", () => {
    const blend = new StillBlend(), changes = [0, 0];
    let before = null, beforeBlended = null;
    for (let step = 0; step < 12; step++) {
      const plain = gray(...noise(step)), blended = plain.slice();
      blend.apply(blended, gray(...still), width, 1);
      if (step > 4) {
        changes[0] += reds(plain).reduce((sum, level, place) => sum + Math.abs(level - before[place]), 0);
        changes[1] += reds(blended).reduce((sum, level, place) => sum + Math.abs(level - beforeBlended[place]), 0);
      }
      [before, beforeBlended] = [reds(plain), reds(blended)];
    }
    expect(changes[1]).toBeLessThan(0.5 * changes[0]);
  });
  it("leaves what moves as it was painted", () => {
    const blend = new StillBlend(), painting = gray(...noise(2));
    blend.apply(gray(...noise(1)), gray(...still), width, 1);
    const found = painting.slice();
    blend.apply(found, gray(...still.map((level) => level + 90)), width, 1);
    expect(found).toEqual(painting);
  });
  it("leaves a change between equally bright colors as it was painted", () => {
    const blend = new StillBlend(), painting = gray(...noise(2)), found = painting.slice();
    blend.apply(gray(...noise(1)), toRgba(still.map(() => [160, 60, 60])), width, 1);
    blend.apply(found, toRgba(still.map(() => [60, 111, 60])), width, 1);
    expect(found).toEqual(painting);
  });
  it("of 0 changes nothing", () => {
    const blend = new StillBlend(), painting = gray(...noise(2)), found = painting.slice();
    blend.apply(gray(...noise(1)), gray(...still), width, 0);
    blend.apply(found, gray(...still), width, 0);
    expect(found).toEqual(painting);
  });
  it("forgets at a reset", () => {
    const blend = new StillBlend(), painting = gray(...noise(2)), found = painting.slice();
    blend.apply(gray(...noise(1)), gray(...still), width, 1);
    blend.reset();
    blend.apply(found, gray(...still), width, 1);
    expect(found).toEqual(painting);
  });
});
