import EventLoop
package import HTTPServer

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
}
