/** Finds the point nearest to a place: points are sorted into the cells of a grid once. */
export class Nearest {
  constructor(xs, ys, bounds) {
    Object.assign(this, { xs, ys, bounds });
    this.side = Math.max(1, Math.ceil(Math.sqrt(xs.length / 4)));
    const cells = this.side * this.side;
    const ends = new Uint32Array(cells + 1);
    const cellOf = new Uint32Array(xs.length);
    for (let at = 0; at < xs.length; at += 1) {
      cellOf[at] = this.row(ys[at]) * this.side + this.column(xs[at]);
      ends[cellOf[at] + 1] += 1;
    }
    for (let cell = 0; cell < cells; cell += 1) ends[cell + 1] += ends[cell];
    this.starts = ends.slice();
    this.order = new Uint32Array(xs.length);
    for (let at = 0; at < xs.length; at += 1) {
      this.order[ends[cellOf[at]]] = at;
      ends[cellOf[at]] += 1;
    }
  }

  column(x) {
    const { left, right } = this.bounds;
    return Math.min(this.side - 1, Math.max(0, Math.floor(((x - left) / (right - left)) * this.side)));
  }

  row(y) {
    const { low, high } = this.bounds;
    return Math.min(this.side - 1, Math.max(0, Math.floor(((y - low) / (high - low)) * this.side)));
  }

  /** The place of the nearest point within `reach` of (x, y); -1 where there is none. */
  find(x, y, reach) {
    let best = -1;
    let least = reach * reach;
    const [firstColumn, lastColumn] = [this.column(x - reach), this.column(x + reach)];
    for (let row = this.row(y - reach); row <= this.row(y + reach); row += 1) {
      const cells = row * this.side;
      for (let place = this.starts[cells + firstColumn]; place < this.starts[cells + lastColumn + 1]; place += 1) {
        const at = this.order[place];
        const distance = (this.xs[at] - x) ** 2 + (this.ys[at] - y) ** 2;
        if (distance <= least) {
          least = distance;
          best = at;
        }
      }
    }
    return best;
  }
}
