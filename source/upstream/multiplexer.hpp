// Which request waits for what, and on which connection. No I/O: every order of events is a plain unit test.
#pragma once

#include "net/asio.hpp"
#include "upstream/protocol.hpp"
#include "upstream/reply_channels.hpp"
#include "upstream/statistics.hpp"

#include <boost/intrusive/list.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
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

struct by_place; // tags of the two lists that contain a request
struct by_key;

using queue_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<by_place>>;
using key_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<by_key>,
                                                  boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using request_queue = boost::intrusive::list<waiting_request, boost::intrusive::base_hook<queue_hook>>;

/// All requests that wait for one key, and the channel through which they get replies.
struct waits_for_a_key {
    /// In order of arrival.
    using requests = boost::intrusive::list<waiting_request, boost::intrusive::base_hook<key_hook>,
                                            boost::intrusive::constant_time_size<false>>;

    /// Nothing waits yet.
    explicit waits_for_a_key(const executor_type& executor)
        : channels(executor)
    {
    }

    reply_channels channels; ///< through which replies arrive
    requests waiting;        ///< for their reply, the longest-waiting first
    requests answered;       ///< the reply to their message has arrived, in this turn of the event loop
};

using wait_map = std::unordered_map<key, waits_for_a_key, key_hash>;

/// Keeps the entry of a key for as long as a request waits for it.
class key_in_use {
public:
    /// Makes the entry if there is none.
    key_in_use(multiplexer& multiplexer, const key& key);
    ~key_in_use();
    key_in_use(const key_in_use&) = delete;
    key_in_use& operator=(const key_in_use&) = delete;

    waits_for_a_key& operator*() const noexcept { return of_key_.second; }   ///< the entry
    waits_for_a_key* operator->() const noexcept { return &of_key_.second; } ///< the same

private:
    multiplexer& multiplexer_;
    wait_map::value_type& of_key_;
};

/// What the loss of connections has shown about a message.
struct suspicion {
    const lane* lost_on = nullptr; ///< the lane that lost its connection with it last; none if it was never lost
    unsigned early_losses = 0;     ///< times it was lost within `multiplexer::blame_for` of being written
    unsigned times_alone = 0;      ///< times its message was the only possible cause, while it was a suspect
    bool released = false;         ///< from being a suspect, because another message with its key survived

    /// Whether it may have killed its upstream. One loss does not show that: a restart loses whatever is in flight.
    bool is_suspect() const noexcept { return early_losses > 1; }

    /// Whether it is to be tried while no other suspect, and no message that was ever lost, is on the wire.
    bool needs_quiet() const noexcept { return times_alone != 0; }

    /// Times it was the only possible cause in quiet.
    unsigned strikes() const noexcept { return needs_quiet() ? times_alone - 1 : 0; }

    /// Whether the next loss of its connection might be due to it.
    bool may_be_to_blame() const noexcept { return is_suspect() || lost_on != nullptr; }
};

/// Messages that were answered or acquitted, as far as it matters whether there was another than a certain one.
class survivors {
public:
    /// Adds the message of `key`.
    void add(const key& key)
    {
        if (!one_)
            one_ = key;
        else if (*one_ != key)
            several_ = true;
    }

    /// Whether there is one with another key than `key`.
    bool has_another(const key& key) const { return several_ || (one_ && *one_ != key); }

    /// From now on there are none.
    void clear() { *this = {}; }

private:
    std::optional<key> one_;
    bool several_ = false;
};

/// When a message was written, and on which lane.
struct writing {
    clock::time_point at;     ///< when it was taken for writing
    const lane* on = nullptr; ///< the lane; it may have gone since
};

/// One request for as long as it waits, wherever it waits: the constructor enters it into the multiplexer, the
/// destructor takes it out, and if its message was not written by then, it never will be. Owned by the coroutine that
/// asks; the multiplexer and the question outlive it.
class waiting_request : public queue_hook, public key_hook {
public:
    /// Asks `question`. The caller has checked that its key is neither condemned nor in use.
    waiting_request(multiplexer& multiplexer, const upstream::question& question);
    ~waiting_request();
    waiting_request(const waiting_request&) = delete;
    waiting_request& operator=(const waiting_request&) = delete;

    /// Waits for the reply until `deadline` expires; see `reply_channels::subscription::receive`. Its error is
    /// `connection_aborted` when the message was lost with its connection and is not written again. When it has ended,
    /// destroy the request in the same turn of the event loop: until then another request may swap places with it, and
    /// a third that still waits would be left without a place.
    auto receive(steady_timer& deadline) { return subscription_.receive(deadline); }

    /// To be called when `receive` has returned a reply. A reply goes to the request that has waited longest for its
    /// key, which may not be the one whose message it answers. Then the two swap places: the other one will get the
    /// reply that is due to this one, or is written again when that connection is lost. Returns the last writing of the
    /// message that was answered; nothing when that message is unknown.
    std::optional<writing> take_reply();

    /// The last writing of its message, if there was one; of the other's, if it has swapped places.
    std::optional<writing> last_written() const
    {
        return written() && written_.on != nullptr ? std::optional(written_) : std::nullopt;
    }

    /// Whether the upstream may have seen the message.
    bool written() const noexcept { return times_written_ != 0; }

private:
    friend multiplexer;

    void leave_queue();
    void move_to(request_queue& queue, request_queue::iterator before);

    multiplexer& multiplexer_;
    const upstream::question& question_;
    key_in_use key_;
    reply_channels::subscription subscription_; // of the key's channel
    request_queue* queue_ =
        nullptr;            // the one that contains it; none when it is answered, or relies on another's message
    writing written_;       // last
    std::size_t place_ = 0; // of its message's last writing, among all bytes that were taken for that connection
    unsigned times_written_ = 0;
    suspicion suspicion_; // of its message
    bool answered_ = false;
};

/// One connection as the multiplexer sees it. Owned by the owner of the connection; outlives its time in the
/// multiplexer, from `open` to `close`.
class lane {
public:
    /// `wake` is called when the outbox gets its first request, so that the connection's writer checks it. `name`,
    /// which outlives it, is the upstream's.
    explicit lane(std::function<void()> wake, std::string_view name = {})
        : name_(name)
        , wake_(std::move(wake))
    {
    }

    std::string_view name() const noexcept { return name_; } ///< the upstream's

    /// Requests that have this connection, written or not.
    std::size_t waiting() const noexcept { return outbox_.size() + on_the_wire_.size(); }

    /// Requests that have been written and may get a reply.
    std::size_t on_the_wire() const noexcept { return on_the_wire_.size(); }

    /// Whether any of them waits to be written.
    bool has_unwritten() const noexcept { return !outbox_.empty(); }

    /// True when it was distrusted, and nothing was received since that shows that it works.
    bool doubtful() const noexcept { return !trusted_; }

private:
    friend multiplexer;

    std::string_view name_;
    std::function<void()> wake_;
    request_queue outbox_;       // has a place in the window, is not written yet
    request_queue on_the_wire_;  // has been written; a reply may come
    bool trusted_ = true;        // otherwise it is asked only if no other can be
    bool spoke_ = false;         // something was received on the connection
    bool on_probation_ = false;  // something must be received before what was lost early is written on it
    std::size_t recalled_ = 0;   // requests that were written here and will be written elsewhere; since it was opened
    std::size_t trial_size_ = 1; // suspects that are tried at once
    std::size_t taken_ = 0;      // bytes, ever
    std::size_t taken_last_ = 0; // of these, the ones taken last
};

/// What equal keys mean.
enum class key_use {
    own,       ///< a key belongs to one request
    shared,    ///< equal questions: any reply answers any of them, and each is written
    coalesced, ///< equal questions that share one message
};

/// Assigns waiting requests to connections, and replies to requests. At most `window` requests have a place on one
/// connection; further ones wait in the backlog, the longest-waiting first. Belongs to one event loop; every call is
/// made on its thread.
///
/// When it coalesces, requests that wait for the same key at the same time share one message: the first of them is
/// assigned to a connection, the others wait for the same reply. If the first leaves without it, the next one is
/// assigned instead, with what is left of its own time.
class multiplexer {
public:
    /// A message that kills its upstream does so quickly: one that has been on the wire for longer is not to blame when
    /// the connection is lost.
    static constexpr std::chrono::nanoseconds blame_for = std::chrono::milliseconds(50);

    /// How often a suspect that is tried in quiet may be the only possible cause before its requests fail.
    static constexpr unsigned most_strikes = 2;

    /// How long requests for its key fail after that, without being written.
    static constexpr std::chrono::nanoseconds condemned_for = std::chrono::seconds(3);

    /// `window` is the most requests on one connection, at least 1.
    multiplexer(const executor_type& executor, std::size_t window, key_use use = key_use::shared)
        : executor_(executor)
        , window_(window)
        , use_(use)
    {
        spare_.reserve(most_spare);
    }

    /// From now on this is the most requests on one connection, at least 1. Those that have a place keep it.
    void set_window(std::size_t window);

    /// `lane` has a connection: it takes its share of the backlog. A connection on probation was sent a probe: what was
    /// lost early is not written on it before something was received. Otherwise, if it is trusted, it works: the
    /// requests on lanes that do not work are recalled from them, written ones only if keys are shared.
    void open(lane& lane, bool on_probation = false);

    /// `lane` lost its connection. Its requests go to other connections or back to the head of the backlog, to be
    /// written (again). Those whose message was written and is not repeatable fail. Those that were lost
    /// within `blame_for` of being written, for the second time, become suspects; one whose message was the only
    /// possible cause too often, in quiet, fails together with all requests for its key, which is condemned unless it
    /// belongs to one request. Returns how many had been written and will be written again, including those that were
    /// recalled from it.
    std::size_t close(lane& lane, clock::time_point now);

    /// `lane` took requests and stayed silent, or was lost: from now on requests prefer any other lane, until `spoke`.
    void distrust(lane& lane);

    /// What was received on `lane` shows that it works, see `open`; and suspects may be tried on it.
    void spoke(lane& lane)
    {
        if (!lane.spoke_ || !lane.trusted_)
            take_proof(lane);
    }

    /// Something was received on `lane`, which ends its probation. If it is not trusted, it still has to show that it
    /// works, with one request at a time.
    void gave_sign_of_life(lane& lane)
    {
        if (!lane.spoke_)
            take_first_word(lane);
    }

    /// Appends to `wire` everything that waits to be written on `lane`. What is taken counts as written.
    void take(lane& lane, std::string& wire, clock::time_point now);

    /// Of the bytes last taken for `lane`, the last `bytes` were not passed to the kernel; a larger number means all of
    /// them. A message of which nothing was passed on was not written this time.
    void put_back(lane& lane, std::size_t bytes);

    /// Whether there are suspects.
    bool has_suspects() const noexcept { return !suspects_.empty(); }

    /// Whether requests whose message was lost early wait for a connection that works.
    bool has_lost() const noexcept { return !lost_.empty() || has_suspects(); }

    /// Whether suspects may be tried on `lane` now.
    bool has_suspects_for(const lane& lane) const
    {
        return has_suspects() && !lane.on_probation_ && may_be_asked(lane) &&
               may_be_tried(next_suspect_for(lane), lane);
    }

    /// Whether the next suspect for `lane` is to be tried in quiet: while no other is tried, on any event loop.
    bool needs_quiet(const lane& lane) const
    {
        const auto* const next = next_suspect_for(lane);
        return next != nullptr && next->suspicion_.needs_quiet();
    }

    /// Appends to `wire` the next few suspects for `lane`, or the next one if it needs quiet. They must be alone: the
    /// caller writes nothing else on `lane` for `blame_for` before and after.
    void take_suspects(lane& lane, std::string& wire, clock::time_point now);

    /// Whether any of the suspects taken last has not been answered yet.
    bool is_trying(const lane& lane) const;

    /// The suspects taken last have not killed the upstream: they are suspects no longer, and twice as many are tried
    /// next. Others with the same key that wait are released too, all of them or a few.
    void acquit(lane& lane);

    /// Bytes were received on some connection: `now` is the time of the messages that are delivered until the next
    /// call.
    void received(clock::time_point now) noexcept { received_at_ = now; }
    clock::time_point received_at() const noexcept { return received_at_; } ///< see `received`

    /// A message for `key` was received on `from`. It goes to the request that has waited longest for it, or to all of
    /// them when the multiplexer coalesces; false when none waits. A key that belongs to one request is known only on
    /// the connection on which that request was written.
    bool deliver(lane& from, const key& key, std::string_view message);

    /// Whether messages for `key` have killed connections lately.
    bool is_condemned(const key& key, clock::time_point now) const
    {
        if (condemned_.empty()) // as is nearly always the case
            return false;
        const auto found = condemned_.find(key);
        return found != condemned_.end() && found->second > now;
    }

    /// Whether any reply for a key answers any question with it.
    bool shares_keys() const noexcept { return use_ != key_use::own; }

    /// Whether a request waits for `key`.
    bool is_waited_for(const key& key) const { return waits_.contains(key); }

    /// Ends all waits with `error`, to stop.
    void fail_all(error_code error);

    /// True while any connection works.
    bool any_works() const
    {
        return std::ranges::any_of(lanes_, [](const lane* open) { return works(*open); });
    }

    /// Whether any request waits for a place on a connection, or on one that does not work.
    bool has_unserved() const
    {
        const auto is_of_no_help = [](const lane* open) { return open->waiting() != 0 && !works(*open); };
        return backlog() != 0 || std::ranges::any_of(lanes_, is_of_no_help);
    }

    /// Requests without a place on a connection.
    std::size_t backlog() const noexcept { return backlog_.size() + lost_.size() + suspects_.size(); }

    /// Waiting requests, by where they wait.
    waiting_requests waiting() const;

    /// Keys for which requests wait.
    std::size_t keys() const;

    /// True when no request waits, or has just been answered.
    bool idle() const noexcept { return waits_.empty(); }

private:
    friend waiting_request;
    friend key_in_use;

    // The entry of a key consists of several pieces of memory. So some are kept for the next keys, each in the node
    // that it had in the map. No request waits on its channel then, because a subscription ends after its wait.
    static constexpr std::size_t most_spare = 64;

    wait_map::value_type& waits_for(const key& key);
    void give_back(const key& key);

    void enter(waiting_request& request);
    void leave(waiting_request& request);
    void hand_over(waiting_request& leaving, waiting_request& next);
    void conclude(waiting_request& request);
    void conclude_all(waits_for_a_key& waits);
    void take_back(request_queue& requests);
    request_queue& queue_for(const waiting_request& request) noexcept;
    void take_proof(lane& lane);
    void take_first_word(lane& lane);
    void recall();
    void write(waiting_request& request, lane& lane, std::string& wire, clock::time_point now);
    void blame(request_queue& lost, const lane& by, clock::time_point now);
    void accuse(waiting_request& suspect, const lane& by);
    void survived(const waiting_request& tried, const lane& lane);
    void fail(waiting_request& request, clock::time_point now);
    bool is_for_another(const waiting_request& suspect, const lane& lane) const;
    const waiting_request* next_suspect_for(const lane& lane) const;
    static bool may_be_tried(const waiting_request* suspect, const lane& lane);

    // Everything that changes which request waits where ends here.
    void distribute()
    {
        if (has_lost())
            distribute_lost();
        if (!backlog_.empty())
            deal_out(backlog_, true);
    }
    void distribute_lost();
    void deal_out(request_queue& queue, bool also_on_probation);
    void deal(waiting_request& request, lane& lane);
    lane* least_busy_lane(bool also_on_probation) const;
    bool has_room(const lane& lane) const;
    bool may_be_asked(const lane& lane) const;
    static bool works(const lane& lane) noexcept { return lane.trusted_ && !lane.on_probation_; }

    executor_type executor_;
    std::size_t window_;
    key_use use_;
    std::vector<lane*> lanes_; // the open ones
    request_queue backlog_;
    request_queue lost_; // early, and not suspect
    request_queue suspects_;
    survivors survivors_;     // while suspects wait, since the last accusation
    std::size_t waiting_ = 0; // all of them, wherever they wait
    clock::time_point received_at_;
    wait_map waits_;
    std::vector<wait_map::node_type> spare_;
    std::unordered_map<key, clock::time_point, key_hash> condemned_; // and until when
};

} // namespace causeway::upstream
