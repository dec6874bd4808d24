package import Cluster
import Foundation
package import HTTPServer
import HTTPTypes
package import Operator

/// `POST /cache/purge` on an edge's admin port: this edge forgets at once, and all others are told.
///
/// It is answered when the disk has it, too: a crash brings nothing back that was answered with
/// 200.
package enum PurgeRoute {
  package static let path: StaticString = "/cache/purge"

  private static let bodyLimit = 4 << 20

  /// The call's answer.
  private struct Purged: Encodable {
    /// Objects that this edge had in memory.
    var purged: Int
    /// Whether the cluster was told.
    var cluster: Bool
  }

  /// - Parameters:
  ///   - proxy: whose cache it is.
  ///   - invalidations: of the cluster; nil for an edge that is alone.
  ///   - site: by which names the operator may change something.
  /// - Returns: what answers.
  package static func call(
    _ proxy: EdgeProxy, _ invalidations: Invalidations?, _ site: OperatorSite
  ) -> APICall {
    APICall(bodyLimit: bodyLimit) { request in
      if let words = site.objection(to: request.request) { return OperatorHandler.foreign(words) }
      guard request.request.method == .post else {
        return .wrongMethod(
          request.request.method.rawValue, allowed: ["POST"],
          "POST {\"key\", \"prefix\" or \"tag\": …, \"soft\": false} to \(path).")
      }
      let order: PurgeOrder
      do throws(PurgeOrder.Refused) {
        order = try PurgeOrder.read(request.body)
      } catch {
        return .error(.badRequest, code: "bad_purge", message: "\(error.words).")
      }
      let count = proxy.purge(order.invalidations)
      var isTold = false
      if let invalidations, !order.isLocal {
        do throws(ClusterError) {
          try await invalidations.publish(order.invalidations)
          isTold = true
        } catch {
          return .error(
            .serviceUnavailable, code: "cluster_not_told",
            message: "This edge has purged \(count) objects; others may not have been told: "
              + "\(error). Try again.")
        }
      }
      guard await proxy.arePurgesKept() else {
        return .error(
          .serviceUnavailable, code: "disk_not_done",
          message: "This edge serves nothing of it any more, but its disk has not taken that in"
            + " time: after a crash it might. Try again.")
      }
      let answer = try? JSONEncoder().encode(Purged(purged: count, cluster: isTold))
      return .json(.ok, answer.map { Array($0) } ?? [])
    }
  }
}
