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
    upstream::key key;       ///< what its reply will be known by
    std::string bytes;       ///< for the wire
    bool repeatable = false; ///< it may be written again when its connection was lost before the reply came

    /// A late reply to another question with this key answers this one too. Only for keys that are not shared.
    bool repeats_another = false;
};

/// What a codec finds in the bytes of a connection. The bytes that an event refers to are the codec's own and are valid
/// until its next call.
namespace event {

/// No event is complete: more bytes are needed.
struct incomplete {};

/// A message with a key: the reply to the question with the same key, or to nobody's. In the latter case the log tells
/// the key.
struct message {
    upstream::key key;
    std::string_view bytes;
};

/// The peer has answered what the codec itself said: its greeting, a heartbeat or a probe.
struct alive {};

/// The peer has said something that wants an answer: these bytes.
struct to_answer {
    std::string_view bytes;
};

/// A message that makes no sense. The stream goes on behind it.
struct unreadable {
    std::string_view shown;    ///< what the log may tell of it: its bytes, unless they are a secret
    std::size_t size = 0;      ///< in bytes, shown or not
    std::string_view expected; ///< what would have made sense, in words
};

/// The stream cannot be read any further; the connection ends.
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

    /// What has come of a message whose end has not, and what would be its end. Its size is zero between messages.
    virtual event::unreadable unfinished() const = 0;

    /// What to say first. Unless that is nothing, the connection takes questions only when the peer has answered: when
    /// `alive` comes.
    virtual std::string greeting() { return {}; }

    /// What to say on a connection that has been quiet for `protocol::heartbeat_after`.
    virtual std::string heartbeat() { return {}; }

    /// What to say to find out whether a peer works: one that fell silent, or accepted a connection and hung up. An
    /// answer that nobody waits for. When it is empty, the next question will tell.
    virtual std::string probe() { return {}; }
};

/// The facts. A value; what is in it must be callable on every event loop's thread.
struct protocol {
    /// Makes the codec of a new connection.
    std::function<std::unique_ptr<codec>()> make_codec;

    /// Whether questions with equal keys are equal, so that any of their replies will do for any of them. Such
    /// questions must be repeatable. Otherwise a key belongs to one request, and a second one with it is refused.
    bool shares_keys = false;

    /// How long a key stays taken after its request gave up waiting, so that a late reply cannot be mistaken for that
    /// of a new request. Only for keys that are not shared.
    std::chrono::nanoseconds late_replies{};

    /// After how much quiet a heartbeat is said; zero for never. Exact to a quarter of the time after which a silent
    /// upstream is given up. One is also said after half of that time, when something is owed: a peer that has only
    /// left a message without a reply is then found to be alive.
    std::chrono::nanoseconds heartbeat_after{};
};

} // namespace causeway::upstream
