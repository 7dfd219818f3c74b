// A TCP connection, plain or with TLS, and how to use a socket properly.
#pragma once

#include "net/asio.hpp"
#include "net/tls.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace causeway::net {

/// A connected socket in non-blocking mode, as `accept` returns it. TLS is a property of it: after the handshake,
/// readers and writers cannot tell the difference. Belongs to one event loop; every call is made on its thread. It
/// outlives the operations that it began, and is moved only while none is pending. The destructor closes it. No call
/// throws because of anything that a peer or a network does.
class connection {
public:
    using executor_type = causeway::executor_type; ///< required of an Asio stream

    /// Takes over a connected socket in non-blocking mode.
    explicit connection(tcp_socket socket);

    /// From now on all bytes go through TLS, and `handshake` comes first. `context` is used in this call only.
    void accept_tls(asio::ssl::context& context) { tls_ = tls_session::accepting(context, socket_); }
    /// The same for a client of the server `name`.
    void connect_tls(asio::ssl::context& context, const std::string& name)
    {
        tls_ = tls_session::connecting(context, socket_, name);
    }

    bool has_tls() const noexcept { return static_cast<bool>(tls_); } ///< whether bytes go through TLS

    /// Performs the TLS handshake. Returns why it failed, if it did.
    awaitable<error_code> handshake();

    executor_type get_executor() { return socket_.get_executor(); } ///< required of an Asio stream

    /// The address of the peer; empty when the connection is gone.
    std::string peer() const;

    /// Waits for bytes and puts them into `room`, which outlives the wait. The signature of `token` is
    /// `void(error_code, std::size_t)`: why there are none, or how many there are.
    template <class Token>
    auto read(asio::mutable_buffer room, Token&& token)
    {
        const auto initiate = [this](auto handler, asio::mutable_buffer buffer) {
            if (!tls_)
                socket_.async_read_some(buffer, std::move(handler));
            else
                compose(reading{*this, buffer}, std::move(handler));
        };
        return asio::async_initiate<Token, void(error_code, std::size_t)>(initiate, token, room);
    }

    /// Puts into `room` what has arrived, without waiting. Returns how many bytes; 0 with an error, which is
    /// `would_block` when nothing has arrived, and `eof` at the end of the input.
    std::size_t read_at_once(asio::mutable_buffer room, error_code& error);

    /// After `read_at_once`, whether there may be more that `wait_for_input` would not notice.
    bool holds_input() const noexcept { return tls_ && !tls_.is_blocked(); }

    /// Waits until `read_at_once` may return something. To be called after that, and not while `holds_input`. The
    /// signature of `token` is `void(error_code)`: why it never will.
    template <class Token>
    auto wait_for_input(Token&& token)
    {
        return socket_.async_wait(tls_ ? tls_.wanted() : tcp_socket::wait_read, std::forward<Token>(token));
    }

    /// Sends all of `bytes`, which outlive the operation. `co_await` gives a tuple of the error, if any, and how many
    /// were sent; with TLS, after an error, how many may have been sent.
    auto write(asio::const_buffer bytes) { return asio::async_write(*this, bytes, as_result); }

    /// Sends some of them; for Asio's composed operations.
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token)
    {
        const auto initiate = [this](auto handler, asio::const_buffer buffer) {
            if (!tls_)
                socket_.async_write_some(buffer, std::move(handler));
            else
                compose(writing{*this, buffer}, std::move(handler));
        };
        const asio::const_buffer first(*asio::buffer_sequence_begin(buffers));
        return asio::async_initiate<Token, void(error_code, std::size_t)>(initiate, token, first);
    }

    /// Sends as much as the kernel has room for, without waiting. Returns how many bytes; 0 also after an error, which
    /// the next `write` reports. The remaining bytes must be written next.
    std::size_t write_at_once(asio::const_buffer bytes);

    /// True when something has arrived that was not read yet.
    bool has_input() const;

    /// True when the peer has closed the connection, or its own side of it, even if there is unread input before that.
    bool peer_is_gone();

    /// Ends the pending `read` or `handshake`, if any, with `operation_aborted`.
    void stop_reading();

    /// Ends what is pending and closes the connection, without waiting for the peer to receive what it was sent.
    void close();

    /// The same, and the peer learns that it did not get everything.
    void reset();

    /// Closes the connection so that the peer gets everything that was sent to it: closes our side, then reads what
    /// still arrives until the peer has closed its own, or for a second.
    awaitable<> hang_up();

private:
    struct reading {
        connection& self;
        asio::mutable_buffer room;

        std::size_t attempt(error_code& error) const { return self.tls_.read(room, error); }
        std::size_t after_failure() const noexcept { return 0; }
    };

    struct writing {
        connection& self;
        asio::const_buffer bytes;

        std::size_t attempt(error_code& error) const { return self.tls_.write(bytes, error); }
        std::size_t after_failure() const noexcept { return tls_session::possibly_written(bytes); }
    };

    // Attempts, and waits for the socket, until the attempt no longer needs it.
    template <class Step>
    struct tls_operation {
        Step step;
        error_code error = {};
        std::size_t count = 0;
        enum { starting, waiting, posted } state = starting;

        template <class Operation>
        void operator()(Operation& operation, error_code waited = {})
        {
            if (state == posted)
                return operation.complete(error, count);
            error = waited;
            if (!error)
                count = step.attempt(error);
            if (error == asio::error::would_block) {
                state = waiting;
                auto& connection = step.self;
                return connection.socket_.async_wait(connection.tls_.wanted(), std::move(operation));
            }
            if (error)
                count = step.after_failure();
            if (state == waiting)
                return operation.complete(error, count);
            state = posted; // no operation completes within the call that begins it
            asio::post(step.self.get_executor(), std::move(operation));
        }
    };

    template <class Step, class Handler>
    void compose(Step step, Handler handler)
    {
        asio::async_compose<Handler, void(error_code, std::size_t)>(tls_operation<Step>{step}, handler, socket_);
    }

    awaitable<> discard_input();

    tcp_socket socket_;
    tls_session tls_;
};

} // namespace causeway::net
