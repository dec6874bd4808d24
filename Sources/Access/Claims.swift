/// What a verified token says.
package struct Claims: Sendable, Equatable {
  /// The camera that a publish token means when it names none.
  package static let mainCamera = "main"
  /// What stands in addresses for the program, which follows the cameras of a wedding.
  package static let programCamera = "program"
  /// Names in addresses that no camera can have.
  package static let reservedCameras: Set<String> = [programCamera, "recordings"]

  /// The wedding it is for; nil only with the scope `service`.
  package var wedding: String?
  /// The camera it is for; nil: the main one to publish, every one to watch.
  package var camera: String?
  package var scope: Scope
  /// The plan that limits qualities, such as `free` or `premium`.
  package var plan: String?
  /// Whom it was given to.
  package var subject: String?
  /// Seconds since 1970 at which it ends.
  package var expires: Int64
  /// Seconds since 1970 before which it is not valid.
  package var notBefore: Int64?
  /// Of two publishers of one stream, the one with the higher number wins.
  package var priority: Int
  /// Whether it is good for a locked wedding, too.
  package var unlocked: Bool

  package init(
    scope: Scope, wedding: String?, camera: String? = nil, plan: String? = nil,
    subject: String? = nil, expires: Int64, notBefore: Int64? = nil, priority: Int = 0,
    unlocked: Bool = false
  ) {
    self.scope = scope
    self.wedding = wedding
    self.camera = camera
    self.plan = plan
    self.subject = subject
    self.expires = expires
    self.notBefore = notBefore
    self.priority = priority
    self.unlocked = unlocked
  }

  /// The camera that a publisher with this token sends.
  package var publishCamera: String { camera ?? Claims.mainCamera }

  /// Whether a wedding or camera may have this name: letters, digits, `-`, `_` and `.` (not first),
  /// up to 128, because it stands in addresses and on disk.
  package static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, first != UInt8(ascii: "."), name.utf8.count <= 128 else {
      return false
    }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122: true
      case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
      default: false
      }
    }
  }

  /// Refuses when the time is not between `notBefore` and `expires`.
  ///
  /// - Parameters:
  ///   - now: seconds since 1970.
  ///   - leeway: seconds by which clocks may differ.
  /// - Throws: `.expired` or `.notYetValid`.
  package func check(now: Int64, leeway: Int64) throws(Refusal) {
    if now >= expires &+ leeway { throw Refusal(.expired(seconds: now - expires)) }
    if let notBefore, now < notBefore &- leeway {
      throw Refusal(.notYetValid(at: notBefore))
    }
  }

  /// Refuses what this token does not allow.
  ///
  /// - Throws: `.otherScope`, `.otherWedding`, `.otherCamera` or `.locked`.
  package func check(_ purpose: Purpose) throws(Refusal) {
    guard scope == purpose.scope else {
      throw Refusal(.otherScope(has: scope, needed: purpose.scope))
    }
    if let wanted = purpose.wedding, wanted != wedding { throw Refusal(.otherWedding) }
    if let wanted = purpose.camera, let own = scope == .publish ? publishCamera : camera,
      own != wanted
    {
      throw Refusal(.otherCamera)
    }
    if case .watch(_, _, isLocked: true) = purpose, !unlocked { throw Refusal(.locked) }
  }
}

/// What somebody with a token wants to do.
package enum Purpose: Sendable, Equatable {
  /// Send a stream; nil where the token itself names it (`rtmp://host/live/<token>`).
  case publish(wedding: String?, camera: String?)
  /// Watch a wedding, or one camera of it; a locked one is for tokens that are good for that.
  case watch(wedding: String, camera: String?, isLocked: Bool = false)
  /// Use the control API.
  case service

  var scope: Scope {
    switch self {
    case .publish: .publish
    case .watch: .watch
    case .service: .service
    }
  }

  var wedding: String? {
    switch self {
    case .publish(let wedding, _): wedding
    case .watch(let wedding, _, _): wedding
    case .service: nil
    }
  }

  var camera: String? {
    switch self {
    case .publish(_, let camera), .watch(_, let camera, _): camera
    case .service: nil
    }
  }
}
