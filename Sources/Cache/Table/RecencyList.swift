/// The slots of a shard in the order in which they were last used; all in O(1).
///
/// The links are kept in arrays by slot, so that moving one allocates nothing. One array of links
/// serves several lists, as a slot is in one of them at a time.
struct RecencyList {
  /// A slot's neighbours; -1 for none.
  struct Link {
    var newer: Int32 = -1
    var older: Int32 = -1
  }

  private(set) var newest: Int32 = -1
  private(set) var oldest: Int32 = -1
  private(set) var count = 0
  /// What its members weigh together.
  private(set) var bytes = 0

  var isEmpty: Bool { count == 0 }

  /// Puts a slot that is in no list at the newest end.
  mutating func insert(_ slot: Int32, bytes weight: Int, _ links: inout [Link]) {
    links[Int(slot)] = Link(newer: -1, older: newest)
    if newest >= 0 { links[Int(newest)].newer = slot }
    newest = slot
    if oldest < 0 { oldest = slot }
    count += 1
    bytes += weight
  }

  /// Takes out a slot that is in this list.
  mutating func remove(_ slot: Int32, bytes weight: Int, _ links: inout [Link]) {
    let link = links[Int(slot)]
    if link.newer >= 0 { links[Int(link.newer)].older = link.older } else { newest = link.older }
    if link.older >= 0 { links[Int(link.older)].newer = link.newer } else { oldest = link.newer }
    links[Int(slot)] = Link()
    count -= 1
    bytes -= weight
  }

  /// Makes a slot of this list the newest.
  mutating func touch(_ slot: Int32, _ links: inout [Link]) {
    guard slot != newest else { return }
    remove(slot, bytes: 0, &links)
    insert(slot, bytes: 0, &links)
  }
}
