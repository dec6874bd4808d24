import ServiceLifecycle

/// A service that leaves soon after it was told to stop, whatever it is in the middle of: a file on
/// a disk that stalls can't be read to its end.
///
/// What it left goes on until the process ends.
struct HastyService: Service {
  private let service: any Service
  private let patience: Duration

  /// Wraps a service.
  ///
  /// - Parameters:
  ///   - service: what is to be run.
  ///   - patience: how long it may go on after it was told to stop.
  init(_ service: any Service, patience: Duration = .seconds(1)) {
    self.service = service
    self.patience = patience
  }

  func run() async throws {
    let (outcomes, end) = AsyncStream.makeStream(of: Result<Void, any Error>.self)
    // Tasks of their own, as a group would wait for all of its tasks; they still hear of the stop.
    let work = Task { [service] in
      do {
        end.yield(.success(try await service.run()))
      } catch {
        end.yield(.failure(error))
      }
    }
    let timer = Task { [patience] in
      try await gracefulShutdown()
      try await Task.sleep(for: patience)
      end.yield(.success(()))
    }
    defer {
      work.cancel()
      timer.cancel()
    }
    for await outcome in outcomes { return try outcome.get() }
  }
}
