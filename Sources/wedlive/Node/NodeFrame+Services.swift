import Logging
import ServiceLifecycle
import UnixSignals

extension NodeFrame {
  /// The services of a process, to be run until it is told to stop.
  ///
  /// They are told to stop one after the other, the last one first. The node comes before all that
  /// reads or writes files, so that no disk that hangs keeps it from closing its ports and its
  /// publishers.
  ///
  /// - Parameters:
  ///   - node: serves; the others stop when it has.
  ///   - publishers: publish to it, and stop before it does.
  ///   - others: work beside it, and are waited for only shortly.
  ///   - logger: of the group.
  /// - Returns: a group that also stops at SIGTERM and SIGINT.
  static func services(
    node: any Service, publishers: [any Service], others: [any Service], logger: Logger
  ) -> ServiceGroup {
    typealias Entry = ServiceGroupConfiguration.ServiceConfiguration
    return ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: others.map { Entry(service: HastyService($0)) }
          + [Entry(service: node, successTerminationBehavior: .gracefullyShutdownGroup)]
          + publishers.map { Entry(service: HastyService($0)) },
        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
  }

  /// Runs a group, and says what came of it.
  static func outcome(of group: ServiceGroup) async -> Result<Void, any Error> {
    do {
      return .success(try await group.run())
    } catch {
      return .failure(error)
    }
  }
}
