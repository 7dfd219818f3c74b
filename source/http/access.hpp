// What the access log says about a request, and what records it.
#pragma once

#include "net/clock.hpp"
#include "net/trace.hpp"

#include <boost/beast/http/verb.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace causeway::http {

/// One request, from its first byte to what became of its answer. Made for each request while there is an access log.
struct access {
    std::string id;          ///< also sent with the answer; letters, digits, and ._- only
    std::string_view method; ///< a token; empty: the request line was incomplete, and the next two members mean nothing
    std::string target;      ///< as received
    unsigned version = 0;    ///< 10 or 11

    std::uint64_t session = 0; ///< the number of its connection, of all that the server has accepted

    unsigned status = 0;   ///< of its answer
    std::size_t bytes = 0; ///< of the answer's body
    bool sent = false;     ///< the kernel has taken the whole answer

    clock::time_point began_at; ///< its first byte had arrived
    clock::time_point ended_at; ///< the answer was sent, or given up
    net::trace trace;           ///< what happened between the two, from the last byte on

    /// A client's own X-Request-Id has at most this many characters.
    static constexpr std::size_t longest_id = 64;

    /// Resets it for the next request, keeping the memory of the last.
    void restart();

    /// From now on the details of `trace` are noted too.
    void note_details();

    /// More of the request has arrived.
    void came(clock::time_point now);

    /// The request line has arrived: `known` is its method, or `unknown`; `text` is the method as received.
    void set_method(boost::beast::http::verb known, std::string_view text);

    /// The client calls the request `value`. This becomes its id if it has 1 to `longest_id` letters, digits, and ._-
    /// and is the only one offered: so nothing else gets into the answer's header section or the log.
    void offer_id(std::string_view value);

private:
    std::unique_ptr<net::trace_details> details_; // those of `trace`, if they were ever wanted
    std::string unknown_method_;                  // the memory of `method` if that is not a known one
    bool was_offered_id_ = false;
};

/// Logs requests. Belongs to one event loop; every call is made on its thread.
class access_recorder {
public:
    /// Whether the request that begins is to be recorded.
    virtual bool wants_next() { return true; }

    /// Whether the details of requests are wanted too.
    bool wants_details() const noexcept { return wants_details_; }

    /// Whether the addresses of clients are wanted: each costs a system call and its text once.
    virtual bool wants_peers() const { return true; }

    /// Puts a unique id into `id`, which is empty; or leaves it empty, and the answer has none.
    virtual void make_id(std::string& id) = 0;

    /// `access` is complete. `peer` is the address of its client; empty where that was not wanted when it began.
    virtual void record(const access& access, std::string_view peer) = 0;

    /// To be called a few times a second, so that no line waits long for the next ones.
    virtual void sweep() = 0;

protected:
    /// `wants_details` says what `wants_details()` returns.
    explicit access_recorder(bool wants_details = false) noexcept
        : wants_details_(wants_details)
    {
    }
    ~access_recorder() = default;

private:
    const bool wants_details_; // each request looks at it
};

} // namespace causeway::http
