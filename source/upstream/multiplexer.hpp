// Who waits for what, and on which connection. No I/O: every order of events is a plain unit test.
#pragma once

#include "net/asio.hpp"
#include "upstream/protocol.hpp"
#include "upstream/reply_channels.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace causeway::upstream {

class lane;
class multiplexer;
class waiting_request;

struct by_place; // tags of the two lists in which a request stands
struct by_key;

using queue_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<by_place>>;
using key_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<by_key>,
                                                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using request_queue = boost::intrusive::list<waiting_request, boost::intrusive::base_hook<queue_hook>>;

/// All who wait for one key, and the channel through which they hear.
struct waits_for_a_key {
    using requests = boost::intrusive::list<waiting_request, boost::intrusive::base_hook<key_hook>,
                                            boost::intrusive::constant_time_size<false>>;

    explicit waits_for_a_key(const executor_type& executor)
        : channels(executor)
    {
    }

    reply_channels channels;
    requests waiting;  // for their reply, the longest waiting first
    requests answered; // the reply to their message has come, in this turn of the event loop
};

using wait_map = std::unordered_map<key, waits_for_a_key>;

/// Keeps what a key needs there for as long as a request waits for it.
class key_in_use {
public:
    key_in_use(multiplexer& multiplexer, const key& key);
    ~key_in_use();
    key_in_use(const key_in_use&) = delete;
    key_in_use& operator=(const key_in_use&) = delete;

    waits_for_a_key& operator*() const noexcept { return of_key_.second; }
    waits_for_a_key* operator->() const noexcept { return &of_key_.second; }

private:
    multiplexer& multiplexer_;
    wait_map::value_type& of_key_;
};

/// One request for as long as it waits, wherever it waits: constructing it enters it, destroying it takes it out, and
/// what was not written by then never will be. Owned by the coroutine that asks; the multiplexer and the question
/// outlive it.
class waiting_request : public queue_hook, public key_hook {
public:
    waiting_request(multiplexer& multiplexer, const upstream::question& question);
    ~waiting_request();
    waiting_request(const waiting_request&) = delete;
    waiting_request& operator=(const waiting_request&) = delete;

    /// Waits for the reply until `deadline` expires; see `reply_channels::subscription::receive`. The error is
    /// `connection_aborted` when the message was lost with its connection and is not written again. When it has ended,
    /// the request is to be destroyed before the event loop goes on: until then another may change places with it, and
    /// a third that still waits would be left without a place.
    auto receive(steady_timer& deadline) { return subscription_.receive(deadline); }

    /// To be called when `receive` has given a reply. A reply goes to whoever has waited longest for its key, and that
    /// may be another request than the one whose message it answers. Then the two change places: the other still gets
    /// the reply that is owed to this one, or is written again when that connection is lost.
    void take_reply();

    /// Whether the upstream may have seen the message.
    bool written() const noexcept { return written_; }

private:
    friend multiplexer;

    void leave_queue();
    void move_to(request_queue& queue, request_queue::iterator before);

    multiplexer& multiplexer_;
    const upstream::question& question_;
    key_in_use key_;
    reply_channels::subscription subscription_; // of the key's channel
    request_queue* queue_ = nullptr; // the one it stands in; none when it is answered, or relies on another's message
    unsigned losses_ = 0;            // connections that were lost with its message on them
    bool written_ = false;
    bool answered_ = false;
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

    /// True when silence was the end of its last connection, and nothing has come since.
    bool doubtful() const noexcept { return !trusted_; }

    /// The last repeatable question written, or null.
    const key* last_repeatable() const noexcept { return last_repeatable_ ? &*last_repeatable_ : nullptr; }

private:
    friend multiplexer;

    std::function<void()> wake_;
    request_queue outbox_;      // has a place in the window, is not written yet
    request_queue on_the_wire_; // has been written; a reply may come
    bool trusted_ = true;       // otherwise it is asked only where no other can be
    bool works_ = false;        // the connection has shown that it does
    std::optional<key> last_repeatable_;
};

/// Deals waiting requests out to connections, and replies to requests. At most `window` requests have a place on one
/// connection; further ones wait in the backlog, the longest waiting first. Belongs to one event loop; every call is
/// made on its thread.
///
/// When it coalesces, requests that wait for the same key at the same time share one message: the first of them is
/// dealt out, the others wait for the same reply. When that one leaves without it, the next is dealt out, and has what
/// is left of its own time.
class multiplexer {
public:
    /// With how many connections a message may be lost before its requests fail. A restart of the upstream takes one of
    /// them. A message that was on two is a suspect: from then on it is written only to a connection that works, with
    /// no other suspect beside it; so what is lost with the third is the message that kills its upstream, and nearly
    /// never another one.
    static constexpr unsigned most_losses = 3;

    /// `window` is the most requests on one connection, at least 1.
    multiplexer(const executor_type& executor, std::size_t window, bool coalesces = false)
        : executor_(executor)
        , window_(window)
        , coalesces_(coalesces)
    {
        spare_.reserve(most_spare);
    }

    /// `lane` has a connection: it takes its share of the backlog.
    void open(lane& lane);

    /// `lane` lost its connection. Its requests go to other connections or back to the head of the backlog, to be
    /// written (again). Those whose message was written and is not repeatable, or was lost too often, fail. Returns how
    /// many had been written and will be written again.
    std::size_t close(lane& lane);

    /// `lane` took requests and kept silent: from now on requests prefer any other, until something comes on it.
    void distrust(lane& lane);

    /// The connection of `lane` has shown that it works: something has come on it, or it has lasted for a while.
    /// `spoke` says which.
    void works(lane& lane, bool spoke);

    /// Appends to `wire` all that waits to be written on `lane`. What is taken counts as written.
    void take(lane& lane, std::string& wire);

    /// A message for `key` has come on `lane`. It goes to the request that has waited longest for it, or to all of them
    /// when it coalesces; false when nobody waits.
    bool deliver(lane& from, const key& key, std::string_view message);

    /// Whether a request waits for `key`, or one did and its late reply may still come.
    bool is_taken(const key& key, clock::time_point now);

    /// Nobody waits for the reply to `key` any more, and it may still come until then: so long is the key taken.
    void expect_late_reply(const key& key, clock::time_point until);

    /// Ends all waits with `error`; for stopping.
    void fail_all(error_code error);

    /// True while any connection is open.
    bool connected() const noexcept { return !lanes_.empty(); }

    /// Requests without a place on a connection.
    std::size_t backlog() const noexcept { return backlog_.size() + suspects_.size(); }

    /// Keys that somebody waits for.
    std::size_t keys() const;

    /// True when nobody waits, nor has just been answered.
    bool idle() const noexcept { return waits_.empty(); }

private:
    friend waiting_request;
    friend key_in_use;

    // What a key needs is made of several pieces of memory. So some are kept for the next keys, each in the node that
    // it had in the map. Nobody waits on its channel then, because a subscription ends after its wait.
    static constexpr std::size_t most_spare = 64;

    wait_map::value_type& waits_for(const key& key);
    void give_back(const key& key);

    void enter(waiting_request& request);
    void leave(waiting_request& request);
    void hand_over(waiting_request& leaving, waiting_request& next);
    void conclude(waiting_request& request);
    void conclude_all(waits_for_a_key& waits);
    void take_back(request_queue& requests);
    static bool is_suspect(const waiting_request& request) { return request.losses_ + 1 >= most_losses; }

    void distribute();
    void distribute_suspects();
    void deal(waiting_request& request, lane& lane);
    lane* least_busy_lane() const;
    bool may_be_asked(const lane& lane) const;

    executor_type executor_;
    std::size_t window_;
    bool coalesces_;
    std::vector<lane*> lanes_; // the open ones
    request_queue backlog_;
    request_queue suspects_; // each was lost with one connection less than the most
    wait_map waits_;
    std::vector<wait_map::node_type> spare_;
    std::unordered_map<key, clock::time_point> late_;             // keys whose late reply may come, and until when
    std::deque<std::pair<clock::time_point, key>> late_in_order_; // the same, and some that came
};

} // namespace causeway::upstream
