// One client of a server: bytes in, replies out.
#pragma once

#include "backend/responder.hpp"
#include "net/asio.hpp"
#include "net/wakeup.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace causeway::backend {

/// A connection from a client. Belongs to one event loop; every call is made on its thread. It outlives its coroutine
/// `run`. Destroying it takes it out of the list that it is in.
class client : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    /// While this many bytes of replies are unread by the client or delayed, nothing more is read from it.
    static constexpr std::size_t most_unsent = 1024 * 1024;

    client(tcp_socket socket, std::unique_ptr<responder> responder);
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// Serves the client until it closes its side, or sends unreadable bytes, and has received everything that is due
    /// by then; or until it is gone.
    awaitable<> run();

    /// Ends the connection now.
    void close();

private:
    awaitable<> read();
    awaitable<> write();
    awaitable<> speak_when_due();
    std::size_t unsent() const { return replies_.size() + being_sent_.size() + responder_->held(); }

    tcp_socket socket_;
    std::unique_ptr<responder> responder_;
    std::string replies_;    // collected by the reader, or when they are due
    std::string being_sent_; // taken by the writer, in one go
    net::wakeup has_replies_;
    net::wakeup has_room_;
    steady_timer due_;
    bool all_read_ = false;
};

} // namespace causeway::backend
