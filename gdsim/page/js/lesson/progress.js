// Progress in the browser's storage, lesson by lesson; without storage all works and nothing is kept.

/** @import {LearnerRecord, LessonData} from "../lesson" */

import { emptyRecord, recordFrom } from "./record.js";

/**
 * A lesson that was changed has another key, so that old answers are not taken for answers to it.
 * @type {(lesson: LessonData) => string}
 */
function progressKey(lesson) {
  return "gdsim/lesson/" + lesson.name + "/" + lesson.digest;
}

/**
 * The storage of this browser, or null where there is none or it is denied.
 * @type {(root: {localStorage?: Storage}) => Storage | null}
 */
export function lessonStorage(root) {
  try {
    const storage = root.localStorage ?? null;
    storage?.setItem("gdsim/lesson", "");
    return storage;
  } catch {
    return null;
  }
}

/** @type {(storage: Storage | null, lesson: LessonData) => LearnerRecord} */
export function loadRecord(storage, lesson) {
  try {
    return recordFrom(JSON.parse(storage?.getItem(progressKey(lesson)) ?? "null"));
  } catch {
    return emptyRecord();
  }
}

/**
 * Keeps a record; tells whether it is kept.
 * @type {(storage: Storage | null, lesson: LessonData, record: LearnerRecord) => boolean}
 */
export function saveRecord(storage, lesson, record) {
  try {
    storage?.setItem(progressKey(lesson), JSON.stringify(record));
    return storage !== null;
  } catch {
    return false;
  }
}
