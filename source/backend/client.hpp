// One client of the code server: codes in, replies out.
#pragma once

#include "net/asio.hpp"
#include "net/wakeup.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <string>

namespace causeway::backend {

/// A connection from a client. Belongs to one event loop; every call is made on its thread. It outlives its coroutine
/// `run`. Destroying it takes it out of the list that it is in.
class client : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    /// While so many bytes of replies wait for the client to read them, nothing more is read from it.
    static constexpr std::size_t most_unsent = 1024 * 1024;

    explicit client(tcp_socket socket);
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// Answers every code until the client closes its side and has got all its replies, or is gone.
    awaitable<> run();

    /// Ends the connection now.
    void close();

private:
    awaitable<> read_codes();
    awaitable<> write_replies();
    std::size_t unsent() const noexcept { return replies_.size() + being_sent_.size(); }

    tcp_socket socket_;
    std::string replies_;    // gathered by the reader
    std::string being_sent_; // taken by the writer, in one go
    net::wakeup has_replies_;
    net::wakeup has_room_;
    bool all_read_ = false;
};

} // namespace causeway::backend
