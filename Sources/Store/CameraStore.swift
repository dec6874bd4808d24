/// All that is kept of weddings' cameras at one moment.
package struct CameraBook: Sendable, Equatable {
  /// Each wedding's in the order of their addition.
  package var cameras: [CameraRecord] = []
  package var credentials: [CredentialRecord] = []
  package var removed: [RemovedCamera] = []
  package var programs: [ProgramRecord] = []

  package init() {}
}

/// Keeps the cameras of weddings, their credentials and which of them the program shows; SQLite in
/// standalone, Redis in a cluster.
///
/// Every implementation passes the same suite of tests.
package protocol CameraStore: Sendable {
  /// All there is, for a node that starts.
  func book() async throws(StoreError) -> CameraBook

  /// All there is of one wedding.
  func book(of wedding: String) async throws(StoreError) -> CameraBook

  /// Adds a camera with its first credential, all of it or nothing; its wedding has a program from
  /// then on. One that was removed before is a new camera: its old keys stay refused.
  ///
  /// - Parameters:
  ///   - camera: whose id its wedding does not have.
  ///   - credential: nil where its keys are made elsewhere, and all that are good for it are taken.
  /// - Throws: `.failed` where the wedding has a camera of that id, or why nothing could be stored.
  func add(_ camera: CameraRecord, _ credential: CredentialRecord?) async throws(StoreError)

  /// Adds a credential to those of a camera.
  ///
  /// - Throws: `.failed` where there is no such camera, or why nothing could be stored.
  func add(_ credential: CredentialRecord) async throws(StoreError)

  /// Removes a camera and its credentials, and remembers that it is gone; a program that was to
  /// show it is to show nothing in particular.
  ///
  /// - Returns: false where there is no such camera.
  func remove(_ camera: String, of wedding: String, now: Int64) async throws(StoreError) -> Bool

  /// Notes that a camera began or ended; one that isn't kept is no error.
  func note(_ camera: String, of wedding: String, live time: Int64) async throws(StoreError)

  /// Remembers which camera a wedding's program is to show; nil for none in particular.
  func choose(_ camera: String?, of wedding: String, now: Int64) async throws(StoreError)

  /// Forgets what nobody needs any more: credentials that have ended, cameras that were removed,
  /// and programs of weddings without cameras.
  ///
  /// - Parameters:
  ///   - time: what is older goes; milliseconds since 1970.
  ///   - open: weddings that are live, whose programs stay.
  ///   - now: milliseconds since 1970.
  /// - Returns: how many records were forgotten.
  /// - Throws: why nothing could be forgotten.
  func forgetCameras(
    before time: Int64, keeping open: Set<String>, now: Int64
  ) async throws(StoreError) -> Int
}
