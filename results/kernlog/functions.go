package kernlog

import "regexp"

// Functions that are in every trace and are not the culprit, by what they do. See words for the form of the lists.
const (
	reporting = `kasan hwasan kmsan __asan __msan __sanitizer kcsan_setup_watchpoint print_address_description print_report
		print_usage_bug print_tainted get_taint$ check_memory_region read_word_at_a_time read_once_ write_once_ panic
		invalid_op report_bug fixup_bug do_error _trap$ do_trap show_stack dump_stack walk_stack dump_backtrace
		warn_slowpath warn_alloc warn_bogus __warn assertfail stack_trace_consume_entry stack_trace_save arch_stack_walk
		program_check_exception program_check_common __fortify_report perf_trace`
	faulting = `do_kernel_fault do_translation_fault do_mem_abort el1_abort el1h_64_sync`
	printing = `printk va_format snprintf scnprintf kasprintf kvasprintf string pointer hex_dump_to_buffer print_hex_dump
		dev_info dev_notice dev_warn dev_err dev_alert dev_crit dev_emerg`
	allocating = `alloc_page malloc zalloc calloc krealloc kmem_cache
		allocate_slab slab_ __alloc_frozen_pages_noprof folio_alloc folio_unlock filemap_alloc_folio __filemap_get_folio
		find_or_create_page do_read_cache_folio read_cache_page pagecache_get_page grab_cache_page_write_begin
		check_heap_object check_object ^kfree$ ^kvfree$ kfree_skb memdup ida_free`
	locking = `lockdep lock_acquire lock_release lock_class mark_lock reacquire_held_locks mark_held_locks raw_spin_rq
		spin_lock spin_trylock spin_unlock read_lock read_trylock read_unlock write_lock write_trylock write_unlock
		^down$ down_read down_write down_trylock up_read up_write ^mutex_ ^__mutex_ ^rt_mutex_ owner_on_cpu osq_lock
		osq_unlock bh_enable bh_disable seqprop_assert print_unlock imbalance_bug trace_hardirq trace_softirq
		lockdep_hardirq lockdep_softirq ^lock_page ^unlock_page might_fault might_sleep __might_resched __might_fault
		lock_timer_base cleanup_srcu_struct`
	counting = `atomic_dec atomic_inc atomic_read atomic_set atomic_or atomic_xor atomic_and atomic_add atomic_sub
		atomic_fetch atomic_xchg atomic_cmpxchg atomic_try atomic64_dec atomic64_inc atomic64_read atomic64_set
		atomic64_or atomic64_xor atomic64_and atomic64_add atomic64_sub atomic64_fetch atomic64_xchg atomic64_cmpxchg
		atomic64_try set_bit clear_bit change_bit test_bit ^refcount_ ^kref_ ref_tracker`
	copying = `memcpy memcmp memset memchr memmove strcmp strncmp strcpy strlcpy strncpy strscpy strlen strstr strnstr
		strnlen strchr strdup strndup copy_to_user copy_from_user copy_to_iter copy_from_iter copy_page_to_iter
		copy_page_from_iter copy_folio_to_iter ^copyin$ ^copyout$ put_user get_user extract_user_to_sg
		extract_iter_to_sg ^crc0 ^crc1 ^crc2 ^crc3 ^crc4 ^crc5 ^crc6 ^crc7 ^crc8 ^crc9 crc_itu_t __phys_addr`
	linking = `list_add list_del list_replace list_move list_splice ^rb_ ^__rb_ ^klist_ xas_start xas_load xas_find
		find_lock_entries rhashtable_lookup _indirect_thunk_`
	deferring = `debug_object timer_is_static_object work_is_static_object del_timer __timer_delete_sync __mod_timer
		sk_stop_timer_sync flush_work __cancel_work_timer cancel_work_sync try_to_grab_pending flush_workqueue
		drain_workqueue destroy_workqueue queue_work insert_work __queue_delayed_work queue_delayed_work_on __wake_up
		finish_wait kthread_stop ^complete$ wait_for_completion`
	modeling = `kobject_ add_uevent_var get_device_parent device_add device_del device_unregister device_destroy
		device_release devres_release_all device_for_each_child device_remove_file ^put_device$ hwrng_unregister
		i2c_del_adapter __unregister_client rollback_registered unregister_netdev sysfs_remove tty_unregister_device
		dummy_urb_enqueue usb_kill_urb usb_kill_anchored_urbs usb_control_msg usb_hcd_submit_urb usb_submit_urb`
	accessing = `readb$ readw$ readl$ readq$ writeb$ writew$ writel$ writeq$ logic_in logic_out`
	filing    = `^iput$ ^iput_final$ ^ihold$ fast_dput dput drop_nlink truncate_inode_pages_range mark_buffer_dirty`
)

// urbs are the layers between a USB driver and the controller.
const urbs = `usb_submit_urb usb_start_wait_urb usb_bulk_msg usb_interrupt_msg usb_control_msg`

// callers are functions that call what others registered: system calls, work and timers; files; sockets; faults.
const (
	callers = `process_one_work do_syscall_ do_fast_syscall_ sysenter_dispatch tracesys_phase2 el0_svc_handler
		invoke_syscall ret_fast_syscall netif_receive_skb do_softirq call_timer_fn _run_timers run_timer_softirq
		hrtimer_run run_ksoftirqd smpboot_thread_fn ^kthread$ start_secondary cpu_startup_entry ret_from_fork
		tasklet_action tasklet_hi_action smp_call_function`
	fileCallers = `vfs_write vfs_read vfs_iter_read vfs_iter_write do_iter_read do_iter_write call_read_iter
		call_write_iter new_sync_read new_sync_write vfs_ioctl ksys_ioctl compat_ioctl compat_sys_ioctl blkdev_driver_ioctl
		blkdev_ioctl ^call_mmap mmap_region do_mmap do_dentry_open vfs_open`
	socketCallers = `^sock_sendmsg ^sock_recvmsg ^sock_release ^__sock_release ^setsockopt$ kernel_setsockopt
		sock_common_setsockopt ^listen$ kernel_listen sk_common_release ^sock_mmap ^accept$ kernel_accept
		^sock_do_ioctl ^sock_ioctl ^compat_sock_ioctl ^nfnetlink_rcv_msg ^rtnetlink_rcv_msg ^netlink_dump ^socketpair
		^connect ^ioctl ^sys_socketpair ^sys_connect ^sys_ioctl`
	faultCallers = `__do_fault do_page_fault ^page_fault$ __fput task_work_run exit_to_usermode`
	rcuWaits     = `synchronize_rcu synchronize_srcu synchronize_net synchronize_sched`
	waits        = `sched _lock _slowlock down rwsem completion kthread wait synchronize context_switch __switch_to
		cancel_delayed_work rcu_barrier`
)

var (
	// irrelevant are the functions skipped in every stack.
	irrelevant = regexp.MustCompile(alternation(reporting, faulting, printing, allocating, locking, counting, copying,
		linking, deferring, modeling, accessing, filing))
	dispatchers = regexp.MustCompile(alternation(callers, fileCallers, socketCallers, faultCallers))
	hangOnRCU   = regexp.MustCompile(alternation(rcuWaits))
	waiting     = regexp.MustCompile(alternation(waits))
)
