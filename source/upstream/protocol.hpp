// What a protocol tells the engine: a few facts, and a codec for each connection.
#pragma once

#include "upstream/key.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace causeway::upstream {

/// A message that asks for a reply.
struct question {
    upstream::key key;       ///< by which its reply will be recognized
    std::string bytes;       ///< for the wire
    bool repeatable = false; ///< it may be written again if its connection is lost before the reply arrives

    /// A late reply to another question with this key answers this one too. Only for keys that are not shared.
    bool repeats_another = false;
};

/// What a codec finds in the bytes of a connection. The bytes that an event refers to are the codec's own and are valid
/// until its next call.
namespace event {

/// More bytes are needed for the next event.
struct incomplete {};

/// A message with a key: the reply to the question with the same key, or an unsolicited one. In the latter case the log
/// shows the key.
struct message {
    upstream::key key;      ///< of the question that it answers
    std::string_view bytes; ///< the reply, for whoever asked
};

/// The peer has answered what the codec itself sent: its greeting, a heartbeat or a probe.
struct alive {};

/// The peer has sent something that requires an answer: these bytes.
struct to_answer {
    std::string_view bytes; ///< to be written as they are
};

/// A message that makes no sense. The stream continues after it.
struct unreadable {
    std::string_view shown;    ///< what the log may show of it: its bytes, unless they are secret
    std::size_t size = 0;      ///< in bytes, shown or not
    std::string_view expected; ///< what would have made sense, in words
};

/// The stream cannot be read any further, so the connection is closed.
struct broken {
    std::string_view reason; ///< in words
};

} // namespace event

using any_event =
    std::variant<event::incomplete, event::message, event::alive, event::to_answer, event::unreadable, event::broken>;

/// Reads and writes the bytes of one connection, and does no I/O. Belongs to the connection's event loop. Use: read
/// into `space()`, say how much came with `received()`, then take events with `next()` until one is `incomplete`.
class codec {
public:
    codec() = default;
    virtual ~codec() = default;
    codec(const codec&) = delete;
    codec& operator=(const codec&) = delete;

    /// Room for at least one more byte.
    virtual std::span<char> space() = 0;

    /// The first `count` bytes of the last `space()` have been filled.
    virtual void received(std::size_t count) = 0;

    /// The next event.
    virtual any_event next() = 0;

    /// The part of an incomplete message that was received, and what would complete it. Its size is zero between
    /// messages.
    virtual event::unreadable unfinished() const = 0;

    /// What to send first. Unless that is empty, the connection takes questions only when the peer has answered, which
    /// is the event `alive`.
    virtual std::string greeting() { return {}; }

    /// What to send on a connection that has been quiet for `protocol::heartbeat_after`. An upstream that has never
    /// answered one, or a greeting, is not expected to answer.
    virtual std::string heartbeat() { return {}; }

    /// What to send to find out whether a peer works that fell silent, or accepted a connection and hung up. No request
    /// waits for the answer. If it is empty, or is no question and the upstream has never answered the like, the next
    /// question serves instead; it also does after a peer that hung up has shown only that it is `alive`.
    virtual std::string probe() { return {}; }
};

/// The facts about a protocol. A value; its functions must be callable on every event loop's thread.
struct protocol {
    /// Makes the codec of a new connection.
    std::function<std::unique_ptr<codec>()> make_codec;

    /// Whether questions with equal keys are equal, so that any of their replies answers any of them. Such questions
    /// must be repeatable. Otherwise a key belongs to one request, and a second one with it is refused.
    bool shares_keys = false;

    /// How long a key stays in use after its request gave up waiting, so that a late reply cannot be mistaken for that
    /// to a new request. Only for keys that are not shared.
    std::chrono::nanoseconds late_replies{};

    /// After how much quiet a heartbeat is sent; zero for never. Exact to a quarter of the time after which a silent
    /// upstream is given up. One is also sent after half of that time when a reply is due: its answer shows that a peer
    /// which merely left one message without a reply is alive.
    std::chrono::nanoseconds heartbeat_after{};
};

} // namespace causeway::upstream
