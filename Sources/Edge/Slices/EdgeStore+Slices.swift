import Cache
import HTTPTypes

extension EdgeStore {
  /// The key of a slice: of nothing but this version of the object.
  func key(_ object: SlicedObject, _ number: Int) -> CacheKey {
    let reference = object.reference
    return key(
      """
      \(object.key.low) \(object.key.high) \(object.slices.size) \(number) \(reference.total) \
      \(reference.entityTag ?? "")\n\(reference.entityTag == nil ? reference.lastModified ?? "" : "")
      """)
  }

  /// Keeps what is known of a whole that is kept in slices, unless it was purged since.
  func keep(_ object: SlicedObject, fields: HTTPFields, since: PurgeLog.Moment) {
    guard let rule = VaryRule(object.response.headerFields) else { return }
    let tags = object.tags
    guard EdgeStore.areBounded(tags), !log.isPurged(object.name, tags: { tags }, since: since)
    else { return }
    if !rule.isEmpty { put(rule, key(object.name), object.name) }
    put(object, tags)
    if !rule.isEmpty { disk?.store(rule, key(object.name), object.name) }
    disk?.store(object, tags)
    if log.isPurged(object.name, tags: { tags }, since: since) { drop(object.key) }
  }

  func put(_ object: SlicedObject, _ tags: [String]) {
    memory.insert(object.key, .sliced(object), bytes: 4_096, tags: tags)
  }

  /// Keeps a slice, unless its object was purged since.
  func keep(
    _ bytes: [UInt8], slice number: Int, of object: SlicedObject, since: PurgeLog.Moment
  ) {
    let tags = object.tags
    guard EdgeStore.areBounded(tags), !log.isPurged(object.name, tags: { tags }, since: since)
    else { return }
    let key = key(object, number)
    put(bytes, key, object, tags)
    disk?.store(bytes, key, object.name, tags)
    if log.isPurged(object.name, tags: { tags }, since: since) { drop(key) }
  }

  private func put(_ bytes: [UInt8], _ key: CacheKey, _ object: SlicedObject, _ tags: [String]) {
    memory.insert(
      key, .slice(bytes, name: object.name), bytes: bytes.count + 1_024, tags: tags)
  }

  /// Whether a slice is in memory.
  func has(slice number: Int, of object: SlicedObject) -> Bool {
    memory.peek(key(object, number)) != nil
  }

  /// Whether a slice is in memory or on disk, as far as is known without reading it.
  func mayHave(slice number: Int, of object: SlicedObject) -> Bool {
    has(slice: number, of: object) || disk?.tier.contains(key(object, number)) == true
  }

  /// Reads a slice from disk, and has it in memory from then on.
  ///
  /// - Parameters:
  ///   - number: of the slice.
  ///   - object: that it is of.
  ///   - done: called once, from a thread of the disk; nil where it isn't there.
  /// - Returns: false where that is known already; `done` isn't called then.
  func readSlice(
    _ number: Int, of object: SlicedObject, _ done: @escaping @Sendable ([UInt8]?) -> Void
  ) -> Bool {
    guard let disk else { return false }
    let key = key(object, number)
    let since = log.moment
    return disk.tier.read(key, name: object.name) { [self] found in
      guard let found, found.body.count == object.length(of: number) else { return done(nil) }
      put(found.body, key, object, found.tags)
      if log.isPurged(object.name, tags: { found.tags }, since: since) { memory.remove(key) }
      done(found.body)
    }
  }

  /// Takes out all that is kept for an address, behind which there is something else now.
  ///
  /// Nothing that comes meanwhile is meant: it is noted as no purge.
  func forget(_ name: String) {
    _ = memory.change(tagged: [name]) { _, _ in .remove }
    disk?.tier.purge(.tagged([name]))
  }
}
