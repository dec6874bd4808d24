import Access
package import Store

/// The cameras of weddings, as the API adds, removes and switches them; the node, or the cluster,
/// answers.
package protocol CameraDirectory: Sendable {
  /// A wedding's cameras, in the order of their addition; its main one where that was added, or is
  /// known from a stream.
  func cameras(of wedding: String) async -> CameraList

  /// Whether a wedding has a camera, or may have it: also where that can't be said now.
  func isKnown(_ camera: String, of wedding: String) async -> Bool

  /// The weddings that have a camera of this id.
  func weddings(withCamera id: String) -> [String]

  /// Adds a camera; the program of its wedding follows it from now on where it is to.
  ///
  /// - Throws: what a person can do about it.
  func add(_ camera: NewCamera) async throws(CameraError)

  /// Adds a stream key to those of a camera that was added before; nothing for any other camera.
  ///
  /// - Throws: where it can't be kept.
  func add(_ key: CameraKey, to camera: String, of wedding: String) async throws(CameraError)

  /// Removes a camera: its keys are refused, and its publisher is closed.
  ///
  /// - Throws: `.unknown` where there is none.
  func remove(_ camera: String, of wedding: String) async throws(CameraError)

  /// Shows a camera in the program.
  ///
  /// - Returns: what was shown before, and whether this one is live.
  /// - Throws: `.unknown`, `.notLive` where another one is, or `.elsewhere`; nothing has changed
  ///   then.
  func show(_ camera: String, of wedding: String) async throws(CameraError) -> CameraChoice

  /// Why a stream key, good in itself, may not publish a camera.
  ///
  /// - Parameters:
  ///   - digest: of the key.
  ///   - camera: that is published.
  ///   - wedding: of the camera.
  /// - Returns: words for a person; nil where it may.
  func refusal(of digest: [UInt8], camera: String, wedding: String) -> String?
}

extension CameraDirectory {
  /// As its list says; every wedding has its main camera.
  package func isKnown(_ camera: String, of wedding: String) async -> Bool {
    if camera == Claims.mainCamera { return true }
    return await cameras(of: wedding).cameras.contains { $0.id == camera }
  }
}

/// A stream key of a camera: its digest, and when it ends.
package struct CameraKey: Sendable, Equatable {
  package let digest: [UInt8]
  /// Seconds since 1970.
  package let expires: Int64

  package init(digest: [UInt8], expires: Int64) {
    self.digest = digest
    self.expires = expires
  }
}

/// A camera that is to be added.
package struct NewCamera: Sendable, Equatable {
  package var wedding: String
  package var id: String
  package var name: String
  package var priority: Int
  package var plan: String?
  /// Nil where keys are made elsewhere.
  package var key: CameraKey?

  package init(
    wedding: String, id: String, name: String, priority: Int = 0, plan: String? = nil,
    key: CameraKey? = nil
  ) {
    self.wedding = wedding
    self.id = id
    self.name = name
    self.priority = priority
    self.plan = plan
    self.key = key
  }
}

/// A camera has been chosen for a program.
package struct CameraChoice: Sendable, Equatable {
  /// The camera that was shown before; nil where none was.
  package var previous: String?
  /// Whether the chosen one is live; else no camera of the wedding is.
  package var isLive: Bool
  /// Whether anything is known of the wedding: every name has a main camera, once somebody
  /// publishes it.
  package var isKnown: Bool

  package init(previous: String?, isLive: Bool, isKnown: Bool = true) {
    self.previous = previous
    self.isLive = isLive
    self.isKnown = isKnown
  }
}

/// A wedding's cameras, and which of them its program shows.
package struct CameraList: Sendable, Equatable {
  package var active: String?
  package var cameras: [CameraInfo]
  /// Who watches the program, where they are counted.
  package var viewers: Int?

  package init(active: String? = nil, cameras: [CameraInfo] = [], viewers: Int? = nil) {
    self.active = active
    self.cameras = cameras
    self.viewers = viewers
  }
}

/// One camera, as the API shows it.
package struct CameraInfo: Sendable, Equatable {
  package enum Status: String, Sendable {
    /// It has never been live.
    case waiting
    case live
    /// It was live, and is no longer.
    case lost
  }

  package var id: String
  package var name: String
  package var status: Status
  package var priority: Int
  package var viewers: Int?

  /// The camera of a wedding that every wedding has, before anybody publishes it.
  static let waitingMain = CameraInfo(
    id: Claims.mainCamera, name: "Main camera", status: .waiting)

  package init(id: String, name: String, status: Status, priority: Int = 0, viewers: Int? = nil) {
    self.id = id
    self.name = name
    self.status = status
    self.priority = priority
    self.viewers = viewers
  }
}

/// Why something can't be done with a camera.
package enum CameraError: Error, Sendable, Equatable {
  case unknown
  /// The wedding has a camera of that id.
  case exists
  /// The plan has so many cameras, and the wedding has them.
  case tooMany(plan: String, limit: Int)
  /// It sends nothing, and another camera is live.
  case notLive
  /// Another node has the wedding, and only that one can tell what is live of it.
  case elsewhere(node: String)
  /// It can't be kept now; a retry may help.
  case notKept(StoreError)
}
