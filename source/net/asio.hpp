// The Asio names that Causeway uses, all on one concrete executor.
//
// Every socket, timer and coroutine here belongs to one event loop. Naming the loop's own executor type instead of
// `any_io_executor` says so in the type, and saves a virtual call and a reference count at each step.
#pragma once

#include "net/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>

namespace causeway {

namespace asio = boost::asio;
using boost::system::error_code;

using asio::ip::tcp;
using executor_type = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<tcp, executor_type>;
using tcp_acceptor = asio::basic_socket_acceptor<tcp, executor_type>;
using tcp_resolver = asio::ip::basic_resolver<tcp, executor_type>;

using steady_timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, executor_type>;

template <class T = void>
using awaitable = asio::awaitable<T, executor_type>;

/// Completion token: `co_await` gives the operation's results as a tuple with the error code first and throws nothing,
/// because a closed connection or a timeout is an ordinary outcome here.
inline constexpr auto as_result = asio::as_tuple(asio::deferred);

} // namespace causeway
