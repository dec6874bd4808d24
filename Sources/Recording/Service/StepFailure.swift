import Storage

/// How a step of a job ends where it doesn't succeed.
enum StepFailure: Error {
  /// Worth trying again, after a while: why, for a person.
  case retry(code: String, String)
  /// Not without somebody's help, so it is tried again rarely.
  case needsHelp(code: String, String)
  /// Never.
  case final(code: String, String)
  /// It was told to stop: its checkpoint says where it goes on.
  case cancelled
}

extension StepFailure {
  init(_ error: StorageError) {
    self =
      switch error {
      case .cancelled: .cancelled
      default:
        error.isRetryable
          ? .retry(code: error.code, "\(error)") : .needsHelp(code: error.code, "\(error)")
      }
  }
}
