import EventLoop
package import HTTPServer
package import Media

/// What one loop has for viewers: its streams, its server, and who answers.
package final class ViewerSite {
  package let table: StreamTable
  package let server: LoopServer
  package let handler: ViewerHandler

  package init(table: StreamTable, server: LoopServer, handler: ViewerHandler) {
    self.table = table
    self.server = server
    self.handler = handler
  }

  /// Takes the newest state of a stream.
  package func update(_ snapshot: StreamSnapshot) { table.update(snapshot) }

  /// The next process of this node goes on with a stream.
  package func leave(_ key: StreamKey) { table.leave(key) }
}
