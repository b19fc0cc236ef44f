// Interpolation of embeddings and weights, as `vst.schedule.interpolation` does it.

/** @typedef {Record<string, number>} Weights name of a style -> its weight */

/** Weights closer to 0 than this are rounding errors and are dropped. */
const NEGLIGIBLE = 1e-9;

/**
 * Mix embeddings with weights, which are normalized to sum to 1.
 * @param {Float32Array[]} embeddings @param {number[]} weights @param {string} blend
 * @returns {Float32Array}
 */
export function blendEmbeddings(embeddings, weights, blend) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  if (blend !== "slerp") {
    return embeddings[0].map((_, place) =>
      embeddings.reduce((sum, embedding, index) => sum + shares[index] * embedding[place], 0));
  }
  let mixed = embeddings[0], soFar = shares[0];
  for (let index = 1; index < embeddings.length; index++) {
    soFar += shares[index];
    mixed = slerp(mixed, embeddings[index], soFar ? shares[index] / soFar : 0);
  }
  return mixed;
}

/** Interpolate along the sphere; lengths change at constant speed. */
function slerp(a, b, part) {
  const straight = a.map((value, place) => (1 - part) * value + part * b[place]);
  const lengths = [Math.hypot(...a), Math.hypot(...b)];
  if (Math.min(...lengths) < 1e-6) return straight;
  const cosine = a.reduce((sum, value, place) => sum + value * b[place], 0) / (lengths[0] * lengths[1]);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (angle < 1e-4 || angle > Math.PI - 1e-4) return straight; // parallel, or no unique way around
  const length = ((1 - part) * lengths[0] + part * lengths[1]) / Math.sin(angle);
  const [near, far] = [Math.sin((1 - part) * angle) / lengths[0], Math.sin(part * angle) / lengths[1]];
  return a.map((value, place) => (near * value + far * b[place]) * length);
}

/**
 * Return the sum of factor times weights, by name, without weights of 0.
 * @param {[number, Weights][]} terms @returns {Weights}
 */
export function combineWeights(terms) {
  /** @type {Weights} */
  const total = {};
  for (const [factor, weights] of terms) {
    for (const [name, weight] of Object.entries(weights)) total[name] = (total[name] ?? 0) + factor * weight;
  }
  return keep(total, (_, weight) => Math.abs(weight) > NEGLIGIBLE);
}

/**
 * Return the positive weights without that of `name`, normalized to sum to 1, or nothing.
 * @param {Weights} weights @param {string} name @returns {Weights}
 */
export function dropName(weights, name) {
  return normalize(keep(weights, (other, weight) => other !== name && weight > 0));
}

/** @param {Weights} weights @returns {Weights} the positive weights, normalized to sum to 1 */
export function normalize(weights) {
  const positive = keep(weights, (_, weight) => weight > 0);
  const total = Object.values(positive).reduce((sum, weight) => sum + weight, 0);
  return Object.fromEntries(Object.entries(positive).map(([name, weight]) => [name, weight / total]));
}

const keep = (weights, wanted) =>
  Object.fromEntries(Object.entries(weights).filter(([name, weight]) => wanted(name, weight)));

/** Whether two mixes have equal weights. @param {Weights} one @param {Weights} other */
export function areEqual(one, other) {
  return [...Object.keys(one), ...Object.keys(other)].every(
    (name) => Math.abs((one[name] ?? 0) - (other[name] ?? 0)) <= NEGLIGIBLE);
}

/** @typedef {{time: number, weights: Weights} | null} Point a key on the path; null: none there */

/**
 * Return the rate of change of the weights at a key of a smooth path, per second: the secant
 * through both neighbors, or nothing next to a neighbor with equal weights.
 * @param {Point} before @param {{time: number, weights: Weights}} here @param {Point} after
 * @returns {Weights}
 */
export function computeVelocity(before, here, after) {
  const earlier = before ?? here, later = after ?? here;
  if (later.time <= earlier.time) return {};
  if ([before, after].some((key) => key && areEqual(key.weights, here.weights))) return {};
  const pace = 1 / (later.time - earlier.time);
  return combineWeights([[pace, later.weights], [-pace, earlier.weights]]);
}

/**
 * Return the weights on the cubic Hermite curve at `part` (0..1) of `seconds`.
 * @param {{weights: Weights, velocity: Weights}} start @param {{weights: Weights, velocity: Weights}} end
 * @param {number} seconds @param {number} part @returns {Weights}
 */
export function interpolateHermite(start, end, seconds, part) {
  const rest = 1 - part;
  return combineWeights([
    [(1 + 2 * part) * rest ** 2, start.weights],
    [part * rest ** 2 * seconds, start.velocity],
    [(1 + 2 * rest) * part ** 2, end.weights],
    [-rest * part ** 2 * seconds, end.velocity],
  ]);
}
