// Who has which of a few places in the drawing.

// A number of rows, each for one name. A name keeps its row for as long as anybody needs it, and then until another needs
// the row: the one that has been free for longest.
export class Rows {
  #names;
  #users;
  #freeSince;
  #time = 0;

  constructor(number) {
    this.#names = new Array(number);
    this.#users = new Array(number).fill(0);
    this.#freeSince = new Array(number).fill(0);
  }

  // The row of `name` for one more user; undefined when others need them all, or all but the last one if that is to be kept.
  take(name, keepsLast) {
    let row = this.#names.indexOf(name);
    if (row === -1 || this.#users[row] === 0) {
      const free = this.#freeRows();
      if (free.length <= (keepsLast ? 1 : 0))
        return undefined;
      row = row === -1 ? free[0] : row;
    }
    this.#names[row] = name;
    ++this.#users[row];
    return row;
  }

  giveBack(row) {
    if (--this.#users[row] === 0)
      this.#freeSince[row] = ++this.#time;
  }

  names() {
    return this.#names;
  }

  #freeRows() {
    const free = this.#users.flatMap((users, row) => users === 0 ? [row] : []);
    return free.sort((one, other) => this.#freeSince[one] - this.#freeSince[other]);
  }
}

// Places in a queue. Everybody takes the first that is free and keeps it until it is given back.
export class Slots {
  #owners = [];

  take(owner) {
    let slot = this.#owners.indexOf(owner);
    if (slot === -1) {
      slot = this.#owners.findIndex(other => other === undefined);
      if (slot === -1)
        slot = this.#owners.length;
      this.#owners[slot] = owner;
    }
    return slot;
  }

  giveBack(owner) {
    const slot = this.#owners.indexOf(owner);
    if (slot !== -1)
      this.#owners[slot] = undefined;
  }
}
