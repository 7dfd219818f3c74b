// One HTTP connection: read a request, answer it, and again.
#pragma once

#include "http/ask_function.hpp"
#include "http/pipeline.hpp"
#include "http/request_parser.hpp"
#include "net/asio.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace causeway::http {

/// How many sweeps a session may stay in each phase. A sweep comes at a steady interval, so these are coarse times
/// that cost a request nothing: no clock is read and no timer is set for them.
struct sweep_limits {
    std::int64_t idle = 0;    ///< between requests
    std::int64_t reading = 0; ///< from the first byte of a request to its last
    std::int64_t writing = 0; ///< while the client does not read its answer
};

/// A connection to a client. Belongs to one event loop; every call is made on its thread. It outlives its coroutine
/// `run`; `ask` and `date`, the current date line, outlive it. Destroying it takes it out of the list that it is in.
class session : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    session(tcp_socket socket, const ask_function& ask, const std::string& date);
    session(const session&) = delete;
    session& operator=(const session&) = delete;

    /// Answers requests in their order until the client, a time limit or an error ends the connection, or `drain` was
    /// called.
    awaitable<> run();

    /// Ends what has lasted too long: an idle connection is closed, a request that does not come to its end is refused,
    /// a client that does not read is reset, and a request whose client is gone frees its place. To be called at
    /// steady intervals.
    void sweep(const sweep_limits& limits);

    /// From now on every answer is the last one on its connection. A connection that is idle for a while is closed; one
    /// that has just been used is left to its next request, which may be on its way.
    void drain();

    /// Closes the connection if no request is on it.
    void close_if_idle();

    /// Ends the connection now, whatever is under way.
    void cut();

    /// True from the first byte of a request to the last byte of its answer.
    bool busy() const noexcept { return phase_ != phase::idle && phase_ != phase::closing; }

private:
    enum class phase { idle, reading, answering, writing, closing };

    bool read_on(request_parser& parser);
    std::optional<refusal> problem_with(const request_parser& parser) const;
    auto receive();
    void take_in(error_code error, std::size_t count);
    bool input_has_ended() const;
    awaitable<> answer_pipelined();
    std::optional<request> pipelined_request();
    void read_what_has_come();
    void compose(const request& request, const response& response, bool keep_alive);
    void compose(const refusal& refusal);
    bool sent_at_once();
    awaitable<bool> send();
    awaitable<> hang_up();
    awaitable<> discard_input();

    void enter(phase next) noexcept;
    bool skip_empty_lines();
    void release_large_buffers();
    void stop_reading();
    bool client_is_gone();
    void give_up();
    void reset();

    tcp_socket socket_;
    const ask_function& ask_;
    const std::string& date_;
    request request_;                    // the one that is read or answered
    steady_timer deadline_;              // of the request that is being answered
    std::unique_ptr<pipeline> pipeline_; // those that are being answered, when several came together
    beast::flat_buffer input_;
    std::string output_;
    phase phase_ = phase::idle;
    std::int64_t sweeps_ = 0; // since the phase was entered
    bool stays_open_ = true;  // after the answer that was composed last
    bool draining_ = false;
    bool abandoned_ = false; // the client went away while it was owed an answer
    error_code input_error_; // of the last read
};

} // namespace causeway::http
