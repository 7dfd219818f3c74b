// One HTTP connection: read a request, answer it, and again.
#pragma once

#include "http/access.hpp"
#include "http/connection_log.hpp"
#include "http/handler.hpp"
#include "http/pipeline.hpp"
#include "http/progress.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "http/statistics.hpp"
#include "net/asio.hpp"
#include "net/connection.hpp"
#include "net/operation_memory.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace causeway::http {

/// What all sessions of a server have in common.
struct common {
    http::handler& handler;       ///< of all requests
    std::string date;             ///< the header line of all answers until the next sweep
    http::response response = {}; ///< what a handler fills in; composed at once, so that its memory serves the next
    std::unique_ptr<std::string> output = {}; ///< empty, with the memory of the last answer; lent to the next session
    http::statistics counts = {};             ///< of all sessions
    net::tls_context tls = {};                ///< of the connections to come; none for plain ones
    access_recorder* accesses = nullptr;      ///< logs the requests to come; none if nothing does
    const bool keeps_connections = handler.keeps_connections(); ///< which does not change
    const bool wants_fields = handler.wants_fields();           ///< the same
};

/// A connection to a client. Belongs to one event loop; every call is made on its thread. It outlives its coroutine
/// `run`, and `common` outlives it. Destroying it takes it out of the list that it is in.
class session : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    /// Takes over a connected socket.
    session(tcp_socket socket, common& common);
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// Answers requests in their order until the client, a time limit or an error ends the connection, or `drain` was
    /// called. A request whose handler throws a `std::exception` gets 500, and is the last one; the log says why.
    awaitable<> run();

    /// Ends what has lasted too long: an idle connection is closed, a request that does not come to its end is refused,
    /// a client that does not read is reset, and a request whose client is gone frees its place. To be called at
    /// steady intervals, with a number that tells these sweeps apart.
    void sweep(std::uint64_t number, const sweep_limits& limits);

    /// The number of the sweep that has been here last; 0 before the first.
    std::uint64_t last_sweep() const noexcept { return last_sweep_; }

    /// From now on every answer is the last one on its connection. A connection that is idle for a while is closed; one
    /// that has just been used is left to its next request, which may be on its way.
    void drain();

    /// Ends the connection now, whatever is under way. Gives how many requests were: those that have begun to come and
    /// whose answer has not left.
    std::size_t cut();

private:
    awaitable<bool> shake_hands();
    auto receive();
    void take_in(const std::tuple<error_code, std::size_t>& received);
    void read_on(request_parser& parser);
    bool others_have_come();
    awaitable<> answer_pipelined();
    awaitable<> send_body();
    std::optional<request> pipelined_request();
    void read_what_has_come();
    void compose(request& request, outcome&& of_the_wait);
    void compose(request& request, const response& response);
    void compose(request& request, stream&& stream);
    [[noreturn]] static void compose(request& request, const std::exception_ptr& thrown);
    void compose_failure(request& request, const std::exception& error);
    void compose(const refusal& refusal);
    void append_answer(request& request, const response& response, framing framing);
    std::string& output();
    bool sent_at_once();
    awaitable<bool> send();
    void forget_output();

    std::size_t room_for_a_request() const noexcept;
    void release_large_buffers();
    std::size_t requests_under_way() const noexcept;
    void close_if_idle();
    void give_up();

    net::connection connection_;
    common& common_;
    connection_log log_;
    request request_;                    // the one that is read or answered
    steady_timer deadline_;              // of the request that is being answered
    std::unique_ptr<pipeline> pipeline_; // those that are being answered, when several came together
    std::unique_ptr<body_source> body_;  // of the last answer, if that is a stream
    beast::flat_buffer input_;
    std::uint32_t request_size_ = 0; // bytes of the last request
    std::uint32_t answers_in_output_ = 0;
    error_code input_error_;              // of the last read
    std::size_t room_ = 0;                // for the last read
    bool may_have_more_ = false;          // it filled its room
    net::operation_memory reading_;       // of the read that is under way
    std::unique_ptr<std::string> output_; // what is to be sent, if anything is
    progress progress_;
    std::uint64_t last_sweep_ = 0;
    bool stays_open_ = true; // after the answer that was composed last
    bool draining_ = false;
    bool abandoned_ = false; // the client went away while it was owed an answer
};

} // namespace causeway::http
