// The thread that writes the access log.
#pragma once

#include "service/access_file.hpp"
#include "service/log_format.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace causeway::service {

/// Lines of one event loop on their way to the file. Each loop has two batches: while one is with the writer, it fills
/// the other.
struct access_batch {
    std::shared_ptr<access_file> file;
    log_format format = log_format::text;
    std::unique_ptr<char[]> lines; ///< room for as many as the event loop wants to collect
    std::size_t size = 0;          ///< bytes that are in it
    std::uint64_t lost_before = 0; ///< lines before these that found no room in a batch

    std::atomic<bool> with_writer = false;    ///< until it is false again, everything else belongs to the writer
    std::atomic<std::uint64_t> lost_ever = 0; ///< lines that the writer has lost; counted by it alone
};

/// Writes the batches of all event loops, one after the other, on its own thread. Event loops never wait for it.
class access_writer {
public:
    /// Stops.
    ~access_writer() { stop(); }
    access_writer() = default;
    access_writer(const access_writer&) = delete;
    access_writer& operator=(const access_writer&) = delete;

    /// Opens a file for later batches; throws as its constructor does, or when no thread can be created. Call this and
    /// the next on one thread.
    std::shared_ptr<access_file> open(const std::string& path);

    /// From now on batches go to this file. The previous one still gets the batches in flight, for at most a second if
    /// it has no reader.
    void use(std::shared_ptr<access_file> file);

    /// `batch` belongs to the writer until its `with_writer` is false. Any thread, after an `open`.
    void write(std::shared_ptr<access_batch> batch);

    /// Writes what it was given before; takes at most a second if there is no reader. Nothing may be given to it
    /// afterwards.
    void stop();

private:
    void write_now(access_batch& batch);

    std::optional<boost::asio::thread_pool> thread_;
    std::uint64_t untold_ = 0; // lines lost since the log last said so; the thread's
    std::shared_ptr<access_file> in_use_;
};

} // namespace causeway::service
