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

/// Lines of one event loop on their way to the file. It has two: while one is with the writer, it fills the other.
struct access_batch {
    std::shared_ptr<access_file> file;
    log_format format = log_format::text;
    std::unique_ptr<char[]> lines; ///< room for as many as the event loop wants to gather
    std::size_t size = 0;          ///< bytes that are in it
    std::uint64_t lost_before = 0; ///< lines that found no room in a batch, before these

    std::atomic<bool> with_writer = false;    ///< until it is false again, all else belongs to the writer
    std::atomic<std::uint64_t> lost_ever = 0; ///< lines that the writer has lost; counted by it alone
};

/// Writes the batches of all event loops, one after the other. Event loops never wait for it.
class access_writer {
public:
    /// Stops.
    ~access_writer() { stop(); }
    access_writer() = default;
    access_writer(const access_writer&) = delete;
    access_writer& operator=(const access_writer&) = delete;

    /// A file for batches to come; throws as its constructor does, or when there is no thread to be had. The calls of
    /// this and the next are for one thread.
    std::shared_ptr<access_file> open(const std::string& path);

    /// Batches go to this one from now on. One that was used before gets what is under way, and a second for it if
    /// nobody reads it.
    void use(std::shared_ptr<access_file> file);

    /// `batch` belongs to the writer until it says otherwise. Any thread, after an `open`.
    void write(std::shared_ptr<access_batch> batch);

    /// Writes what it was given before; takes a second at most if nobody reads that. It is given nothing afterwards.
    void stop();

private:
    void write_now(access_batch& batch);

    std::optional<boost::asio::thread_pool> thread_;
    std::uint64_t untold_ = 0; // lines that were lost, since the log has told it; the thread's
    std::shared_ptr<access_file> in_use_;
};

} // namespace causeway::service
