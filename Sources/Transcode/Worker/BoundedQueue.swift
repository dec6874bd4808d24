#if canImport(Glibc)
  import Glibc
#endif

/// Hands elements from one thread to another, in order; whoever is faster waits.
///
/// What waits in it is bounded by what it costs, in bytes or in pieces: so a slow thread holds up
/// the one before it, and that one the socket, and no memory fills.
@safe final class BoundedQueue<Element: Sendable>: @unchecked Sendable {
  // Sendable: all that changes is changed with `mutex` held.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>
  private let limit: Int
  private var elements: [(element: Element, cost: Int)] = []
  private var head = 0
  private var cost = 0

  /// Makes a queue.
  ///
  /// - Parameter limit: what may wait; one element may wait whatever it costs.
  init(limit: Int) {
    self.limit = limit
    unsafe mutex = .allocate(capacity: 1)
    unsafe changed = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(changed, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(mutex)
    unsafe changed.deallocate()
    unsafe mutex.deallocate()
  }

  /// Adds an element, and waits first until there is room.
  func push(_ element: Element, cost: Int = 1) {
    unsafe pthread_mutex_lock(mutex)
    while self.cost > 0, self.cost + cost > limit {
      unsafe pthread_cond_wait(changed, mutex)
    }
    elements.append((element, cost))
    self.cost += cost
    unsafe pthread_cond_broadcast(changed)
    unsafe pthread_mutex_unlock(mutex)
  }

  /// Takes the oldest element, and waits until there is one.
  func pop() -> Element {
    unsafe pthread_mutex_lock(mutex)
    while head == elements.count { unsafe pthread_cond_wait(changed, mutex) }
    let (element, cost) = elements[head]
    head += 1
    // What was taken is let go of at the latest when half of the room is taken by it.
    if head * 2 >= elements.count {
      elements.removeFirst(head)
      head = 0
    }
    self.cost -= cost
    unsafe pthread_cond_broadcast(changed)
    unsafe pthread_mutex_unlock(mutex)
    return element
  }
}
