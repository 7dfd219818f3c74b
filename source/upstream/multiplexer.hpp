// Which waiting request is on which connection. No I/O: every order of events is a plain unit test.
#pragma once

#include "codes/code.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace causeway::upstream {

class lane;
class multiplexer;
class waiting_request;

using request_queue = boost::intrusive::list<waiting_request>;

/// One request for as long as it waits, wherever it waits: constructing it enters it, destroying it takes it out, and
/// what was not written by then never will be. Owned by the coroutine that asks; the multiplexer outlives it.
class waiting_request : public boost::intrusive::list_base_hook<> {
public:
    waiting_request(multiplexer& multiplexer, codes::code code);
    ~waiting_request();
    /// The reply came on `from`, to this request because it has waited longest for its code. If it stands elsewhere,
    /// then one on `from` for the same code has lost its reply to it: that one takes its place, so that it still gets
    /// the reply that is owed there, or is written again when that connection is lost.
    void answered_by(lane& from);

    waiting_request(const waiting_request&) = delete;
    waiting_request& operator=(const waiting_request&) = delete;

private:
    friend multiplexer;

    void move_to(request_queue& queue);

    multiplexer& multiplexer_;
    codes::code code_;
    request_queue* queue_; // the one it stands in
};

/// One connection as the multiplexer sees it. Owned by whoever owns the connection; outlives its time in the
/// multiplexer, from `open` to `close`.
class lane {
public:
    /// `wake` is called when the outbox gets its first request, so that the connection's writer looks after it.
    explicit lane(std::function<void()> wake)
        : wake_(std::move(wake))
    {
    }

    /// Requests that have this connection, written or not.
    std::size_t waiting() const noexcept { return outbox_.size() + on_the_wire_.size(); }

    /// Requests that have been written and may get a reply.
    std::size_t on_the_wire() const noexcept { return on_the_wire_.size(); }

private:
    friend multiplexer;
    friend waiting_request;

    std::function<void()> wake_;
    request_queue outbox_;      // has a place in the window, is not written yet
    request_queue on_the_wire_; // has been written; a reply may come
    bool trusted_ = true;       // otherwise it is asked only where no other can be
    bool question_due_ = false; // whether it works
    std::optional<codes::code> last_written_;
};

/// Deals waiting requests out to connections. At most `window` requests have a place on one connection; further ones
/// wait in the backlog, the longest waiting first. Belongs to one event loop; every call is made on its thread.
///
/// When it coalesces, requests that wait for the same code at the same time are one question: the first of them is
/// dealt out, the others wait for the same reply. When that one leaves without it, the next is dealt out, and has what
/// is left of its own time.
class multiplexer {
public:
    /// `window` is the most requests on one connection, at least 1.
    explicit multiplexer(std::size_t window, bool coalesces = false)
        : window_(window)
        , coalesces_(coalesces)
    {
    }

    /// Whether one reply answers all who wait for its code.
    bool coalesces() const noexcept { return coalesces_; }

    /// A reply for `code` goes to all who wait for it: they are one question no more, and whoever asks from now on
    /// begins another. To be called when it coalesces.
    void answered(codes::code code);

    /// `lane` has a connection: it takes its share of the backlog.
    void open(lane& lane);

    /// `lane` lost its connection. Its requests, written or not, go to other connections or back to the head of the
    /// backlog: looking up a code is idempotent, so they are simply written again (RFC 9110 §9.2.2). Returns how many
    /// had been written before.
    std::size_t close(lane& lane);

    /// `lane` took requests and kept silent: from now on requests prefer any other, until a reply shows that it works.
    /// To find out, its next connection begins with a question that nobody waits for.
    void distrust(lane& lane) { lane.trusted_ = false; }

    /// A reply has come on `lane`.
    void trust(lane& lane);

    /// Appends to `wire` all that waits to be written on `lane`.
    void take(lane& lane, std::string& wire);

    /// True while any connection is open.
    bool connected() const noexcept { return !lanes_.empty(); }

    /// Requests without a place on a connection.
    std::size_t backlog() const noexcept { return backlog_.size(); }

    /// Questions that several requests could share, always none when it does not coalesce.
    std::size_t questions() const noexcept { return questions_.size(); }

private:
    friend waiting_request;

    struct question {
        waiting_request* asker = nullptr; // in the backlog or on a connection
        request_queue others;
    };

    request_queue& queue_for(waiting_request& request);
    void replace(waiting_request& leaving);

    void distribute();
    lane* least_busy_lane() const;

    std::size_t window_;
    bool coalesces_;
    std::vector<lane*> lanes_; // the open ones
    request_queue backlog_;
    std::unordered_map<codes::code, question> questions_;
    request_queue answered_; // by a reply to all; they leave in the same turn of the event loop
};

} // namespace causeway::upstream
