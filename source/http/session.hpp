// One HTTP connection: read a request, answer it, and again.
#pragma once

#include "http/answer.hpp"
#include "net/asio.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/intrusive/list.hpp>

#include <string>
#include <tuple>

namespace causeway::http {

/// A connection to a client. Belongs to one event loop; every call is made on its thread. It outlives its coroutine
/// `run`; `ask` outlives it. Destroying it takes it out of the list that it is in.
class session : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    session(tcp_socket socket, const ask_function& ask);
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// Answers requests in their order until the client or an error ends the connection, or `drain` was called.
    awaitable<> run();

    /// Ends the connection after the answer to the request under way, which says `Connection: close`; at once when
    /// there is none.
    void drain();

    /// Ends the connection now, whatever is under way.
    void cut();

    /// True from the first byte of a request to the last byte of its answer.
    bool busy() const noexcept { return busy_; }

private:
    awaitable<std::tuple<error_code, request>> read_request();
    awaitable<error_code> receive();
    awaitable<error_code> send(const response& response, const framing& framing);
    awaitable<> hang_up();
    awaitable<> discard_input();

    tcp_socket socket_;
    const ask_function& ask_;
    beast::flat_buffer input_;
    std::string output_;
    bool busy_ = false;
    bool draining_ = false;
};

} // namespace causeway::http
