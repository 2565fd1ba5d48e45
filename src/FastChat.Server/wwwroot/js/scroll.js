// Keeps the newest text in sight while the reader is at the end, and leaves them alone when they are not.

const NEAR_END_PX = 24;

export class StickyScroll {
  #scroller;
  #isPinned = true;
  #lastTop = 0;
  #onChange;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} content What grows within it.
   * @param {(isPinned: boolean) => void} onChange
   */
  constructor(scroller, content, onChange) {
    this.#scroller = scroller;
    this.#onChange = onChange;
    scroller.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    new ResizeObserver(() => this.#follow()).observe(content);
    new ResizeObserver(() => this.#follow()).observe(scroller);
  }

  get isPinned() {
    return this.#isPinned;
  }

  /** Goes to the end, and stays there. */
  toEnd(smooth = false) {
    this.#pin(true);
    if (smooth) this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior: 'smooth' });
    else this.#follow();
  }

  /** What is read is elsewhere: the end is not followed until the reader is there again. */
  release() {
    this.#pin(false);
  }

  /** Changes what is above what is read without moving it. */
  keepPlace(/** @type {() => void} */ change) {
    const fromEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    change();
    this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
    this.#lastTop = this.#scroller.scrollTop;
  }

  #follow() {
    if (!this.#isPinned) return;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
  }

  #onScroll() {
    const top = this.#scroller.scrollTop;
    const left = this.#scroller.scrollHeight - top - this.#scroller.clientHeight;
    // Content that shrinks moves the top too; only somebody who scrolls up gets away from the end.
    if (left <= 1) this.#pin(true);
    else if (top < this.#lastTop - 1) this.#pin(false);
    else if (left <= NEAR_END_PX) this.#pin(true);
    this.#lastTop = top;
  }

  #pin(/** @type {boolean} */ isPinned) {
    if (isPinned === this.#isPinned) return;
    this.#isPinned = isPinned;
    this.#onChange(isPinned);
  }
}
